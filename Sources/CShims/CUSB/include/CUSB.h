// The part of libusb 1.0 that is in use, declared by us and resolved at run time.
#pragma once
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

typedef struct CUSBContext CUSBContext;
typedef struct CUSBDevice CUSBDevice;
typedef struct CUSBHandle CUSBHandle;

/// A device's descriptor as the bus has it (USB 2.0, table 9-8), in the machine's byte order.
typedef struct {
  uint8_t length, type;
  uint16_t usb;
  uint8_t class_, subclass, protocol, packet_size;
  uint16_t vendor, product, device;
  uint8_t manufacturer_text, product_text, serial_text, configurations;
} CUSBDescriptor;

_Static_assert(sizeof(CUSBDescriptor) == 18, "libusb_device_descriptor");

enum {
  CUSB_ERROR_ACCESS = -3,
  CUSB_ERROR_NO_DEVICE = -4,
  CUSB_ERROR_TIMEOUT = -7,
};

#define CUSB_FUNCTIONS(X) \
  X(int32_t, libusb_init, (CUSBContext * *context)) \
  X(void, libusb_exit, (CUSBContext * context)) \
  X(const char *, libusb_error_name, (int32_t status)) \
  X(ssize_t, libusb_get_device_list, (CUSBContext * context, CUSBDevice * **list)) \
  X(void, libusb_free_device_list, (CUSBDevice * *list, int32_t unref)) \
  X(int32_t, libusb_get_device_descriptor, (CUSBDevice * device, CUSBDescriptor *descriptor)) \
  X(int32_t, libusb_open, (CUSBDevice * device, CUSBHandle **handle)) \
  X(void, libusb_close, (CUSBHandle * handle)) \
  X(int32_t, libusb_set_auto_detach_kernel_driver, (CUSBHandle * handle, int32_t enable)) \
  X(int32_t, libusb_claim_interface, (CUSBHandle * handle, int32_t number)) \
  X(int32_t, libusb_release_interface, (CUSBHandle * handle, int32_t number)) \
  X(int32_t, libusb_control_transfer, \
    (CUSBHandle * handle, uint8_t type, uint8_t request, uint16_t value, uint16_t index, \
     uint8_t *data, uint16_t length, uint32_t timeout)) \
  X(int32_t, libusb_bulk_transfer, \
    (CUSBHandle * handle, uint8_t endpoint, uint8_t *data, int32_t length, int32_t *moved, \
     uint32_t timeout))

#define CUSB_FIELD(result, name, arguments) result(*name) arguments;
typedef struct {
  CUSB_FUNCTIONS(CUSB_FIELD)
} CUSBTable;

#define CUSB_NAME(result, name, arguments) #name "\0"
static inline const char *cusb_names(void) { return CUSB_FUNCTIONS(CUSB_NAME); }
