// FFmpeg's macros, its log, its containers and pictures, and its display matrices, for versions 5.1
// to 8.
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <libavcodec/avcodec.h>
#include <libavformat/avformat.h>
#include <libavutil/avstring.h>
#include <libavutil/frame.h>
#include <libavutil/log.h>

#include "CMediaShims.h"

_Static_assert(AVPROBE_PADDING_SIZE <= 32, "df_av_probe promises 32 bytes of padding");

int df_av_error_again(void) { return AVERROR(EAGAIN); }
int df_av_error_end(void) { return AVERROR_EOF; }
int df_av_error_memory(void) { return AVERROR(ENOMEM); }
int df_av_error_missing(void) { return AVERROR_PATCHWELCOME; }
int64_t df_av_no_time(void) { return AV_NOPTS_VALUE; }

int df_av_http_status(int error) {
  switch (error) {
    case AVERROR_HTTP_BAD_REQUEST: return 400;
    case AVERROR_HTTP_UNAUTHORIZED: return 401;
    case AVERROR_HTTP_FORBIDDEN: return 403;
    case AVERROR_HTTP_NOT_FOUND: return 404;
    case AVERROR_HTTP_OTHER_4XX: return 499;
    case AVERROR_HTTP_SERVER_ERROR: return 599;
    default: return 0;
  }
}

void df_av_error_text(int error, char *message) {
  if (av_strerror(error, message, DF_MESSAGE_SIZE) < 0) {
    snprintf(message, DF_MESSAGE_SIZE, "FFmpeg's error %d", error);
  }
}

// Containers and raw streams that hold video, and the common kinds of audio so that an audio file can be
// called one. Left out are playlists, image sequences, devices and whatever else opens other files.
const char *df_av_format_whitelist(void) {
  return "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,mpegts,mpeg,mpegvideo,mpegtsraw,flv,asf,ogg,"
         "h264,hevc,vvc,m4v,obu,av1,ivf,mxf,gxf,dv,nut,rm,wtv,yuv4mpegpipe,mjpeg,vc1,h263,gif,apng,"
         "aac,mp3,flac,wav,aiff,ac3,eac3,amr,w64";
}

// FFmpeg's readers of pictures whose decoders take the whole file at once. JPEG and PNG are not
// among them, having decoders of their own here, nor is what refers to other files, as SVG does.
static const struct {
  const char *format;
  enum AVCodecID codec;
} picture_formats[] = {
    {"bmp_pipe", AV_CODEC_ID_BMP},         {"dds_pipe", AV_CODEC_ID_DDS},
    {"dpx_pipe", AV_CODEC_ID_DPX},         {"exr_pipe", AV_CODEC_ID_EXR},
    {"j2k_pipe", AV_CODEC_ID_JPEG2000},    {"jpegls_pipe", AV_CODEC_ID_JPEGLS},
    {"jpegxl_pipe", AV_CODEC_ID_JPEGXL},   {"pam_pipe", AV_CODEC_ID_PAM},
    {"pbm_pipe", AV_CODEC_ID_PBM},         {"pcx_pipe", AV_CODEC_ID_PCX},
    {"pfm_pipe", AV_CODEC_ID_PFM},         {"pgm_pipe", AV_CODEC_ID_PGM},
    {"ppm_pipe", AV_CODEC_ID_PPM},         {"psd_pipe", AV_CODEC_ID_PSD},
    {"qoi_pipe", AV_CODEC_ID_QOI},         {"sgi_pipe", AV_CODEC_ID_SGI},
    {"sunrast_pipe", AV_CODEC_ID_SUNRAST}, {"tiff_pipe", AV_CODEC_ID_TIFF},
    {"webp_pipe", AV_CODEC_ID_WEBP},
};

df_content df_av_probe(const uint8_t *bytes, int size, const char *name, int *codec) {
  AVProbeData data = {
      .filename = name == NULL ? "" : name, .buf = (unsigned char *)bytes, .buf_size = size};
  int score = AVPROBE_SCORE_RETRY - 1;
  const AVInputFormat *format = av_probe_input_format2(&data, 1, &score);
  if (format == NULL) return DF_CONTENT_UNKNOWN;
  for (size_t i = 0; i < sizeof picture_formats / sizeof picture_formats[0]; i++) {
    if (strcmp(format->name, picture_formats[i].format) != 0) continue;
    *codec = (int)picture_formats[i].codec;
    return DF_CONTENT_PICTURE;
  }
  return av_match_list(format->name, df_av_format_whitelist(), ',') > 0 ? DF_CONTENT_CONTAINER
                                                                         : DF_CONTENT_UNKNOWN;
}

static _Thread_local char kept_message[DF_MESSAGE_SIZE];

static void keep_message(void *context, int level, const char *format, va_list arguments) {
  (void)context;
  if ((level & 0xFF) > AV_LOG_ERROR || kept_message[0] != 0) return;
  vsnprintf(kept_message, sizeof kept_message, format, arguments);
  size_t length = strlen(kept_message);
  while (length > 0 && (unsigned char)kept_message[length - 1] <= ' ') length--;
  kept_message[length] = 0;
}

static void install_log(void) { av_log_set_callback(keep_message); }

void df_av_log_collect(void) {
  static pthread_once_t once = PTHREAD_ONCE_INIT;
  pthread_once(&once, install_log);
}

void df_av_log_take(char *message) {
  memcpy(message, kept_message, sizeof kept_message);
  kept_message[0] = 0;
}

static int copy_matrix(const uint8_t *data, size_t size, int32_t matrix[9]) {
  if (data == NULL || size < 9 * sizeof(int32_t)) return 0;
  memcpy(matrix, data, 9 * sizeof(int32_t));
  return 1;
}

int df_av_stream_display_matrix(const void *stream, int32_t matrix[9]) {
#if LIBAVFORMAT_VERSION_INT >= AV_VERSION_INT(60, 15, 100)
  const AVCodecParameters *parameters = ((const AVStream *)stream)->codecpar;
  const AVPacketSideData *side = av_packet_side_data_get(
      parameters->coded_side_data, parameters->nb_coded_side_data, AV_PKT_DATA_DISPLAYMATRIX);
  return side == NULL ? 0 : copy_matrix(side->data, side->size, matrix);
#else
  size_t size = 0;
  const uint8_t *data =
      av_stream_get_side_data((const AVStream *)stream, AV_PKT_DATA_DISPLAYMATRIX, &size);
  return copy_matrix(data, size, matrix);
#endif
}

int df_av_frame_display_matrix(const void *frame, int32_t matrix[9]) {
  const AVFrameSideData *side =
      av_frame_get_side_data((const AVFrame *)frame, AV_FRAME_DATA_DISPLAYMATRIX);
  return side == NULL ? 0 : copy_matrix(side->data, side->size, matrix);
}

int df_av_frame_is_interlaced(const void *frame) {
#if LIBAVUTIL_VERSION_INT >= AV_VERSION_INT(58, 7, 100)
  return (((const AVFrame *)frame)->flags & AV_FRAME_FLAG_INTERLACED) != 0;
#else
  return ((const AVFrame *)frame)->interlaced_frame;
#endif
}

int df_av_frame_is_damaged(const void *frame) {
  const AVFrame *f = frame;
  return f->decode_error_flags != 0 || (f->flags & AV_FRAME_FLAG_CORRUPT) != 0;
}
