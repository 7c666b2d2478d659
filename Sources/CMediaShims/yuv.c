// Packed RGB to frames of yuv420p for encoders, through swscale.
#include <stdlib.h>
#include <string.h>

#include <libavutil/frame.h>
#include <libavutil/mem.h>
#include <libswscale/swscale.h>

#include "CMediaShims.h"

struct df_yuv_converter {
  struct SwsContext *scaler;
  uint8_t *rows;
  int width, height, stride;
};

df_yuv_converter *df_yuv_converter_new(int width, int height, int is_bt709) {
  if (width <= 0 || height <= 0 || width % 2 != 0 || height % 2 != 0) return NULL;
  df_yuv_converter *converter = calloc(1, sizeof(df_yuv_converter));
  if (converter == NULL) return NULL;
  converter->width = width;
  converter->height = height;
  converter->stride = (width * 3 + 63) & ~63;
  // swscale reads whole vectors, also behind the last row.
  converter->rows = av_malloc((size_t)converter->stride * (size_t)height + 64);
  converter->scaler = sws_getContext(
      width, height, AV_PIX_FMT_RGB24, width, height, AV_PIX_FMT_YUV420P,
      SWS_BICUBIC | SWS_ACCURATE_RND, NULL, NULL, NULL);
  if (converter->rows == NULL || converter->scaler == NULL) {
    df_yuv_converter_free(converter);
    return NULL;
  }
  const int *matrix = sws_getCoefficients(is_bt709 ? SWS_CS_ITU709 : SWS_CS_ITU601);
  sws_setColorspaceDetails(converter->scaler, matrix, 1, matrix, 0, 0, 1 << 16, 1 << 16);
  return converter;
}

int df_yuv_converter_run(
    df_yuv_converter *converter, const uint8_t *rgb, int width, int height, void *target) {
  const int columns = width < converter->width ? width : converter->width;
  const int rows = height < converter->height ? height : converter->height;
  if (columns <= 0 || rows <= 0) return 0;
  for (int y = 0; y < converter->height; y++) {
    const uint8_t *from = rgb + (size_t)(y < rows ? y : rows - 1) * (size_t)width * 3;
    uint8_t *to = converter->rows + (size_t)y * (size_t)converter->stride;
    memcpy(to, from, (size_t)columns * 3);
    for (int x = columns; x < converter->width; x++) memcpy(to + x * 3, to + (columns - 1) * 3, 3);
  }
  AVFrame *frame = target;
  const uint8_t *const source[4] = {converter->rows, NULL, NULL, NULL};
  const int strides[4] = {converter->stride, 0, 0, 0};
  const int done = sws_scale(
      converter->scaler, source, strides, 0, converter->height, frame->data, frame->linesize);
  return done == converter->height;
}

void df_yuv_converter_free(df_yuv_converter *converter) {
  if (converter == NULL) return;
  sws_freeContext(converter->scaler);
  av_free(converter->rows);
  free(converter);
}
