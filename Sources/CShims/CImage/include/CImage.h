// The few entry points of the image libraries that Assay calls, declared here and resolved by dlopen,
// so that building needs none of their headers and starting the command loads none of them.
// Facts from their public headers: turbojpeg.h (2.x), png.h (1.6, simplified API), webp/decode.h.
#ifndef CIMAGE_H
#define CIMAGE_H

#include <stddef.h>
#include <stdint.h>

// A table is filled in the order of the names that stand beside it.

typedef struct {
  void *(*init_decompress)(void);
  int (*decompress_header3)(void *handle, const unsigned char *jpeg, unsigned long size, int *width,
                            int *height, int *subsampling, int *colorspace);
  int (*decompress2)(void *handle, const unsigned char *jpeg, unsigned long size,
                     unsigned char *destination, int width, int pitch, int height, int pixel_format,
                     int flags);
  int (*destroy)(void *handle);
  char *(*get_error_str2)(void *handle);
  int (*get_error_code)(void *handle);
} CImageTurboJPEG;

static inline const char *cimage_turbojpeg_names(void) {
  return
    "tjInitDecompress\0tjDecompressHeader3\0tjDecompress2\0tjDestroy\0tjGetErrorStr2\0"
    "tjGetErrorCode\0";
}

enum {
  CIMAGE_TJPF_RGB = 0,
  CIMAGE_TJPF_GRAY = 6,
  CIMAGE_TJPF_CMYK = 11,
  CIMAGE_TJCS_GRAY = 2,
  CIMAGE_TJCS_CMYK = 3,
  CIMAGE_TJCS_YCCK = 4,
  CIMAGE_TJFLAG_ACCURATEDCT = 4096,
  CIMAGE_TJFLAG_LIMITSCANS = 32768,
  CIMAGE_TJERR_WARNING = 0,
};

typedef struct {
  void *opaque;
  uint32_t version;
  uint32_t width;
  uint32_t height;
  uint32_t format;
  uint32_t flags;
  uint32_t colormap_entries;
  uint32_t warning_or_error;
  char message[64];
} CImagePNGImage;

typedef struct {
  int (*begin_read_from_memory)(CImagePNGImage *image, const void *memory, size_t size);
  int (*finish_read)(CImagePNGImage *image, const void *background, void *buffer,
                     int32_t row_stride, void *colormap);
  void (*free)(CImagePNGImage *image);
  uint32_t (*access_version_number)(void);
} CImagePNG;

static inline const char *cimage_png_names(void) {
  return
    "png_image_begin_read_from_memory\0png_image_finish_read\0png_image_free\0"
    "png_access_version_number\0";
}

enum {
  CIMAGE_PNG_VERSION = 1,
  CIMAGE_PNG_FORMAT_ALPHA = 1,
  CIMAGE_PNG_FORMAT_COLOR = 2,
  CIMAGE_PNG_FLAG_16BIT_SRGB = 4,
};

typedef struct {
  int (*get_info)(const uint8_t *data, size_t size, int *width, int *height);
  uint8_t *(*decode_rgb_into)(const uint8_t *data, size_t size, uint8_t *output, size_t output_size,
                              int stride);
  int (*get_decoder_version)(void);
} CImageWebP;

static inline const char *cimage_webp_names(void) {
  return
    "WebPGetInfo\0WebPDecodeRGBInto\0WebPGetDecoderVersion\0";
}

// Convolves a picture of bytes whose channels lie side by side, rows first, then columns. New column i is made of
// `count_x[i]` columns from `first_x[i]`, all of which lie within the source, with weights of 22 bits from
// `weights_x[i * longest_x]`; rows likewise. Neither `first` ever falls. The sum of the sizes of a pixel's weights
// must be below 2^23. A side that keeps its length has `longest` 0; one of them must not. `result` has room for
// every new pixel. Returns 0 when there is no memory.

int cimage_resample(const uint8_t *source, int width, int height, int channels, const int32_t *first_x,
                    const int32_t *count_x, const int32_t *weights_x, int longest_x, int new_width,
                    const int32_t *first_y, const int32_t *count_y, const int32_t *weights_y, int longest_y,
                    int new_height, uint8_t *result);

#endif
