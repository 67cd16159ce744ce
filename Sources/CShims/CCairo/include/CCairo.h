// The entry points of Cairo (1.16 and later) that Assay draws with, declared here and resolved by
// dlopen, so that building needs no headers and starting the command loads nothing.
// Facts from the public headers cairo.h, cairo-svg.h and cairo-pdf.h.
#ifndef CCAIRO_H
#define CCAIRO_H

typedef int (*CCairoWrite)(void *closure, const unsigned char *data, unsigned int length);

typedef struct {
  double x_bearing, y_bearing, width, height, x_advance, y_advance;
} CCairoTextExtents;

// The table is filled in the order of the names that stand beside it.
typedef struct {
  const char *(*version_string)(void);
  void *(*image_surface_create)(int format, int width, int height);
  void *(*svg_surface_create_for_stream)(CCairoWrite write, void *closure, double width, double height);
  void *(*pdf_surface_create_for_stream)(CCairoWrite write, void *closure, double width, double height);
  void (*pdf_surface_set_metadata)(void *surface, int metadata, const char *utf8);
  int (*surface_write_to_png_stream)(void *surface, CCairoWrite write, void *closure);
  void (*surface_finish)(void *surface);
  int (*surface_status)(void *surface);
  void (*surface_destroy)(void *surface);
  void *(*create)(void *surface);
  void (*destroy)(void *context);
  int (*status)(void *context);
  const char *(*status_to_string)(int status);
  void (*save)(void *context);
  void (*restore)(void *context);
  void (*scale)(void *context, double x, double y);
  void (*translate)(void *context, double x, double y);
  void (*rotate)(void *context, double angle);
  void (*set_source_rgba)(void *context, double red, double green, double blue, double alpha);
  void (*set_line_width)(void *context, double width);
  void (*set_dash)(void *context, const double *dashes, int count, double offset);
  void (*new_path)(void *context);
  void (*move_to)(void *context, double x, double y);
  void (*line_to)(void *context, double x, double y);
  void (*arc)(void *context, double x, double y, double radius, double from, double to);
  void (*rectangle)(void *context, double x, double y, double width, double height);
  void (*close_path)(void *context);
  void (*fill)(void *context);
  void (*stroke)(void *context);
  void (*select_font_face)(void *context, const char *family, int slant, int weight);
  void (*set_font_size)(void *context, double size);
  void (*show_text)(void *context, const char *utf8);
  void (*text_extents)(void *context, const char *utf8, CCairoTextExtents *extents);
} CCairo;

static inline const char *ccairo_names(void) {
  return
    "cairo_version_string\0"
    "cairo_image_surface_create\0"
    "cairo_svg_surface_create_for_stream\0"
    "cairo_pdf_surface_create_for_stream\0"
    "cairo_pdf_surface_set_metadata\0"
    "cairo_surface_write_to_png_stream\0"
    "cairo_surface_finish\0"
    "cairo_surface_status\0"
    "cairo_surface_destroy\0"
    "cairo_create\0"
    "cairo_destroy\0"
    "cairo_status\0"
    "cairo_status_to_string\0"
    "cairo_save\0"
    "cairo_restore\0"
    "cairo_scale\0"
    "cairo_translate\0"
    "cairo_rotate\0"
    "cairo_set_source_rgba\0"
    "cairo_set_line_width\0"
    "cairo_set_dash\0"
    "cairo_new_path\0"
    "cairo_move_to\0"
    "cairo_line_to\0"
    "cairo_arc\0"
    "cairo_rectangle\0"
    "cairo_close_path\0"
    "cairo_fill\0"
    "cairo_stroke\0"
    "cairo_select_font_face\0"
    "cairo_set_font_size\0"
    "cairo_show_text\0"
    "cairo_text_extents\0";
}

enum {
  CCAIRO_SUCCESS = 0,
  CCAIRO_WRITE_ERROR = 11,
  CCAIRO_FORMAT_ARGB32 = 0,
  CCAIRO_SLANT_NORMAL = 0,
  CCAIRO_WEIGHT_NORMAL = 0,
  CCAIRO_WEIGHT_BOLD = 1,
  CCAIRO_PDF_TITLE = 0,
  CCAIRO_PDF_CREATOR = 4,
  CCAIRO_PDF_CREATE_DATE = 5,
};

// libqrencode 4, from qrencode.h: one symbol, row by row; bit 0 of a byte is a dark module.
typedef struct {
  int version;
  int width;
  unsigned char *data;
} CQRCode;

typedef struct {
  CQRCode *(*encode_string8bit)(const char *string, int version, int level);
  void (*free)(CQRCode *code);
  const char *(*version_string)(void);
} CQREncode;

static inline const char *cqrencode_names(void) {
  return
    "QRcode_encodeString8bit\0QRcode_free\0QRcode_APIVersionString\0";
}

enum { CQRENCODE_LEVEL_M = 1 };

#endif
