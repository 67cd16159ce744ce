// A stand-in for libusb with one Monsoon HVPM on the bus: values under their places, and packets of
// a recording (FAKE_USB_PACKETS) over the bulk endpoint. FAKE_USB = "devices,open status".
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>

typedef struct {
  uint8_t length, type;
  uint16_t usb;
  uint8_t class_, subclass, protocol, packet_size;
  uint16_t vendor, product, device;
  uint8_t manufacturer_text, product_text, serial_text, configurations;
} Descriptor;

static int devices = 1, open_status = 0, is_running = 0;
static FILE *packets;
static int thing;

int libusb_init(void **context) {
  const char *script = getenv("FAKE_USB");
  if (script) sscanf(script, "%d,%d", &devices, &open_status);
  *context = &thing;
  return 0;
}
void libusb_exit(void *context) { (void)context; }
const char *libusb_error_name(int status) {
  return status == -3 ? "LIBUSB_ERROR_ACCESS" : "LIBUSB_ERROR_OTHER";
}
ssize_t libusb_get_device_list(void *context, void ***list) {
  (void)context;
  *list = calloc(devices + 1, sizeof(void *));
  for (int i = 0; i < devices; i++) (*list)[i] = &thing;
  return devices;
}
void libusb_free_device_list(void **list, int unref) {
  (void)unref;
  free(list);
}
int libusb_get_device_descriptor(void *device, Descriptor *descriptor) {
  (void)device;
  memset(descriptor, 0, sizeof *descriptor);
  descriptor->vendor = 0x2AB9;
  descriptor->product = 1;
  return 0;
}
int libusb_open(void *device, void **handle) {
  *handle = device;
  return open_status;
}
void libusb_close(void *handle) {
  (void)handle;
  if (packets) fclose(packets);
  packets = NULL;
}
int libusb_set_auto_detach_kernel_driver(void *handle, int enable) {
  (void)handle;
  return enable ? 0 : -1;
}
int libusb_claim_interface(void *handle, int number) {
  (void)handle;
  return number;
}
int libusb_release_interface(void *handle, int number) {
  (void)handle;
  return number;
}
int libusb_control_transfer(void *handle, uint8_t type, uint8_t request, uint16_t value, uint16_t index,
                            uint8_t *data, uint16_t length, unsigned timeout) {
  (void)handle, (void)value, (void)timeout;
  if (type == 0x40) {
    if (request == 2) {
      const char *path = getenv("FAKE_USB_PACKETS");
      packets = path ? fopen(path, "rb") : NULL;
      is_running = packets != NULL;
    }
    if (request == 3) is_running = 0;
    return length;
  }
  uint32_t answer = 0;
  switch (index & 0xFF) {
    case 0x45: answer = 2; break;
    case 0xC0: answer = 32; break;
    case 0xC4: answer = 0; break;
    case 0x42: answer = 20042; break;
    case 0x1A: answer = 36500; break;
    case 0x1B: answer = 6400; break;
    case 0x25: answer = 15; break;
    case 0x26: answer = 15; break;
    case 0x88: answer = 57344; break;
    case 0x89: answer = 51200; break;
  }
  memcpy(data, &answer, length < 4 ? length : 4);
  return length < 4 ? length : 4;
}
int libusb_bulk_transfer(void *handle, uint8_t endpoint, uint8_t *data, int length, int *moved,
                         unsigned timeout) {
  (void)handle, (void)timeout;
  *moved = 0;
  if (endpoint != 0x81 || !is_running) return -7;
  *moved = (int)fread(data, 1, length / 64 * 64, packets);
  return *moved > 0 ? 0 : -7;
}
