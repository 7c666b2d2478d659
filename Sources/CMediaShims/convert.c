// Decoded frames to packed RGB through swscale, whose context type is opaque in some versions of FFmpeg
// and a struct in others.
#include <stdlib.h>

#include <libavutil/frame.h>
#include <libavutil/pixdesc.h>
#include <libswscale/swscale.h>

#include "CMediaShims.h"

struct df_converter {
  struct SwsContext *scaler;
  int width, height, format;
  int shown_width, shown_height;
  enum AVColorSpace matrix;
  enum AVColorRange range;
};

// swscale's coefficients for a tag; those of BT.601 for none, and for what swscale does not know.
static const int *coefficients(enum AVColorSpace matrix) {
  switch (matrix) {
  case AVCOL_SPC_BT709:
    return sws_getCoefficients(SWS_CS_ITU709);
  case AVCOL_SPC_FCC:
    return sws_getCoefficients(SWS_CS_FCC);
  case AVCOL_SPC_SMPTE240M:
    return sws_getCoefficients(SWS_CS_SMPTE240M);
  case AVCOL_SPC_BT2020_NCL:
  case AVCOL_SPC_BT2020_CL:
    return sws_getCoefficients(SWS_CS_BT2020);
  default:
    return sws_getCoefficients(SWS_CS_ITU601);
  }
}

// The yuvj formats are full range whatever the tag says.
static int is_full_range(const AVFrame *frame) {
  switch (frame->format) {
  case AV_PIX_FMT_YUVJ420P:
  case AV_PIX_FMT_YUVJ411P:
  case AV_PIX_FMT_YUVJ422P:
  case AV_PIX_FMT_YUVJ440P:
  case AV_PIX_FMT_YUVJ444P:
    return 1;
  default:
    return frame->color_range == AVCOL_RANGE_JPEG;
  }
}

df_converter *df_converter_new(const void *source, int width, int height) {
  const AVFrame *frame = source;
  const enum AVPixelFormat format = (enum AVPixelFormat)frame->format;
  if (frame->width <= 0 || frame->height <= 0 || !sws_isSupportedInput(format)) return NULL;
  if (width <= 0 || height <= 0) return NULL;
  df_converter *converter = calloc(1, sizeof(df_converter));
  if (converter == NULL) return NULL;
  // Bicubic and no further flags, as OpenCV: published models were trained on such pixels. It
  // matters only where chroma is not simply repeated, as it is in 8-bit 4:2:0 of even height, and
  // where frames are stretched.
  converter->scaler = sws_getContext(
      frame->width, frame->height, format, width, height, AV_PIX_FMT_RGB24, SWS_BICUBIC, NULL, NULL,
      NULL);
  if (converter->scaler == NULL) {
    free(converter);
    return NULL;
  }
  converter->width = frame->width;
  converter->height = frame->height;
  converter->format = frame->format;
  converter->shown_width = width;
  converter->shown_height = height;
  converter->matrix = frame->colorspace;
  converter->range = frame->color_range;
  const AVPixFmtDescriptor *description = av_pix_fmt_desc_get(format);
  const uint64_t colours = AV_PIX_FMT_FLAG_RGB | AV_PIX_FMT_FLAG_PAL;
  if (description != NULL && (description->flags & colours) == 0) {
    int *from, *to;
    int from_range, to_range, brightness, contrast, saturation;
    if (sws_getColorspaceDetails(
            converter->scaler, &from, &from_range, &to, &to_range, &brightness, &contrast,
            &saturation) >= 0) {
      sws_setColorspaceDetails(
          converter->scaler, coefficients(frame->colorspace), is_full_range(frame), to, to_range,
          brightness, contrast, saturation);
    }
  }
  return converter;
}

int df_converter_fits(
    const df_converter *converter, const void *source, int width, int height) {
  const AVFrame *frame = source;
  return converter->width == frame->width && converter->height == frame->height
      && converter->shown_width == width && converter->shown_height == height
      && converter->format == frame->format && converter->matrix == frame->colorspace
      && converter->range == frame->color_range;
}

int df_converter_run(df_converter *converter, const void *source, uint8_t *rgb, int stride) {
  const AVFrame *frame = source;
  uint8_t *const target[4] = {rgb, NULL, NULL, NULL};
  const int strides[4] = {stride, 0, 0, 0};
  const int rows = sws_scale(
      converter->scaler, (const uint8_t *const *)frame->data, frame->linesize, 0, frame->height,
      target, strides);
  return rows == converter->shown_height;
}

void df_converter_free(df_converter *converter) {
  if (converter == NULL) return;
  sws_freeContext(converter->scaler);
  free(converter);
}
