// JPEG in memory to and from RGB. Errors leave libjpeg by longjmp to the function that was called.
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jpeglib.h>
#include <jerror.h>

#include "CMediaShims.h"

// A progressive file may name any number of scans over the whole picture; real ones have about ten.
#define SCAN_LIMIT 200
// No Huffman-coded JPEG holds more pixels in a byte: an 8x8 block takes at least one bit.
#define PIXELS_PER_BYTE 1024

typedef struct {
  struct jpeg_error_mgr base;
  jmp_buf jump;
  char *message;
  df_picture_status status;
  int buffering_scans;
} error_state;

struct df_jpeg_reader {
  struct jpeg_decompress_struct info;
  struct jpeg_progress_mgr progress;
  error_state errors;
};

static void leave(j_common_ptr info) {
  error_state *errors = (error_state *)info->err;
  info->err->format_message(info, errors->message);
  switch (info->err->msg_code) {
  case JERR_OUT_OF_MEMORY:
    errors->status = DF_PICTURE_NO_MEMORY;
    break;
  case JERR_SOF_UNSUPPORTED:
  case JERR_BAD_PRECISION:
  case JERR_ARITH_NOTIMPL:
  case JERR_NOTIMPL:
  case JERR_NOT_COMPILED:
  case JERR_CONVERSION_NOTIMPL:
    errors->status = DF_PICTURE_UNSUPPORTED;
    break;
  case JERR_INPUT_EOF:
    errors->status = DF_PICTURE_TRUNCATED;
    break;
  default:
    errors->status = DF_PICTURE_DAMAGED;
  }
  longjmp(errors->jump, 1);
}

static void leave_truncated(j_common_ptr info) {
  error_state *errors = (error_state *)info->err;
  snprintf(errors->message, DF_MESSAGE_SIZE, "the data end before the picture does");
  errors->status = DF_PICTURE_TRUNCATED;
  longjmp(errors->jump, 1);
}

// libjpeg warns and goes on with grey where data are missing. Here that is an error: a score of grey
// would be no score of the picture. Other warnings (stray bytes, a bad code) are as harmless as
// everybody's decoder takes them to be.
static void take_message(j_common_ptr info, int level) {
  if (level >= 0) return;
  const error_state *errors = (const error_state *)info->err;
  const int code = info->err->msg_code;
  if (code == JWRN_HIT_MARKER) leave_truncated(info);
  if (code == JWRN_JPEG_EOF && errors->buffering_scans) leave_truncated(info);
}

static void print_nothing(j_common_ptr info) { (void)info; }

static void limit_scans(j_common_ptr info) {
  if (!info->is_decompressor) return;
  if (((j_decompress_ptr)info)->input_scan_number <= SCAN_LIMIT) return;
  error_state *errors = (error_state *)info->err;
  snprintf(errors->message, DF_MESSAGE_SIZE, "more than %d scans", SCAN_LIMIT);
  errors->status = DF_PICTURE_DAMAGED;
  longjmp(errors->jump, 1);
}

static struct jpeg_error_mgr *set_errors(error_state *errors, char *message) {
  struct jpeg_error_mgr *base = jpeg_std_error(&errors->base);
  base->error_exit = leave;
  base->emit_message = take_message;
  base->output_message = print_nothing;
  errors->message = message;
  errors->status = DF_PICTURE_DAMAGED;
  return base;
}

df_picture_status df_jpeg_open(
    const uint8_t *bytes, size_t size, df_jpeg_reader **out, uint32_t *width, uint32_t *height,
    char *message) {
  *out = NULL;
  df_jpeg_reader *reader = calloc(1, sizeof(df_jpeg_reader));
  if (reader == NULL) return DF_PICTURE_NO_MEMORY;
  j_decompress_ptr info = &reader->info;
  info->err = set_errors(&reader->errors, message);
  if (setjmp(reader->errors.jump)) {
    const df_picture_status status = reader->errors.status;
    df_jpeg_close(reader);
    return status;
  }
  jpeg_create_decompress(info);
  reader->progress.progress_monitor = limit_scans;
  info->progress = &reader->progress;
  jpeg_mem_src(info, bytes, size);
  jpeg_save_markers(info, JPEG_APP0 + 1, 0xFFFF);
  jpeg_read_header(info, TRUE);
  *width = info->image_width;
  *height = info->image_height;
  if (!info->arith_code
      && (uint64_t)info->image_width * info->image_height / PIXELS_PER_BYTE > size)
    leave_truncated((j_common_ptr)info);
  *out = reader;
  return DF_PICTURE_OK;
}

// 255 - product / 255 rounded, in the manner that Pillow turns CMYK into RGB.
static uint8_t print_colour(unsigned ink, unsigned paper) {
  const unsigned product = ink * paper + 128;
  const int value = (int)paper - (int)(((product >> 8) + product) >> 8);
  return value < 0 ? 0 : (uint8_t)value;
}

// Adobe stores inks inverted, and marks its files; unmarked files hold inks as they are.
static void convert_inks(const uint8_t *inks, uint8_t *rgb, uint32_t width, int inverted) {
  const uint8_t flip = inverted ? 0xFF : 0;
  for (uint32_t x = 0; x < width; x++, inks += 4, rgb += 3) {
    const unsigned paper = 255u - (inks[3] ^ flip);
    for (int c = 0; c < 3; c++) rgb[c] = print_colour(inks[c] ^ flip, paper);
  }
}

df_picture_status df_jpeg_decode(df_jpeg_reader *reader, uint8_t *rgb, char *message) {
  j_decompress_ptr info = &reader->info;
  reader->errors.message = message;
  if (setjmp(reader->errors.jump)) return reader->errors.status;
  const int inks =
      info->jpeg_color_space == JCS_CMYK || info->jpeg_color_space == JCS_YCCK;
  if (info->jpeg_color_space == JCS_UNKNOWN) {
    snprintf(message, DF_MESSAGE_SIZE, "%d components of no known meaning", info->num_components);
    return DF_PICTURE_UNSUPPORTED;
  }
  info->out_color_space = inks ? JCS_CMYK : JCS_RGB;
  reader->errors.buffering_scans = jpeg_has_multiple_scans(info);
  jpeg_start_decompress(info);
  reader->errors.buffering_scans = 0;
  const size_t width = info->output_width;
  JSAMPARRAY row = NULL;
  if (inks) {
    row = info->mem->alloc_sarray((j_common_ptr)info, JPOOL_IMAGE, (JDIMENSION)(width * 4), 1);
  }
  while (info->output_scanline < info->output_height) {
    JSAMPROW target = rgb + (size_t)info->output_scanline * width * 3;
    if (inks) {
      jpeg_read_scanlines(info, row, 1);
      convert_inks(row[0], target, (uint32_t)width, info->saw_Adobe_marker);
    } else {
      jpeg_read_scanlines(info, &target, 1);
    }
  }
  // What follows the last row (a missing end marker, say) no longer matters, and the EXIF block lives
  // until the reader is closed: hence no jpeg_finish_decompress.
  return DF_PICTURE_OK;
}

// The first of the blocks that applications put into a JPEG under a name.
static const uint8_t *find_block(
    const df_jpeg_reader *reader, const char *name, size_t length, size_t *size) {
  for (jpeg_saved_marker_ptr m = reader->info.marker_list; m != NULL; m = m->next) {
    if (m->marker != JPEG_APP0 + 1 || m->data_length < length) continue;
    if (memcmp(m->data, name, length) != 0) continue;
    *size = m->data_length - length;
    return m->data + length;
  }
  *size = 0;
  return NULL;
}

const uint8_t *df_jpeg_exif(const df_jpeg_reader *reader, size_t *size) {
  static const char name[] = "Exif\0";
  return find_block(reader, name, sizeof name, size);
}

const uint8_t *df_jpeg_xmp(const df_jpeg_reader *reader, size_t *size) {
  static const char name[] = "http://ns.adobe.com/xap/1.0/";
  return find_block(reader, name, sizeof name, size);
}

void df_jpeg_close(df_jpeg_reader *reader) {
  jpeg_destroy_decompress(&reader->info);
  free(reader);
}

typedef struct {
  struct jpeg_compress_struct info;
  error_state errors;
  unsigned char *data;
  unsigned long size;
} jpeg_writer;

df_picture_status df_jpeg_write(
    const uint8_t *rgb, uint32_t width, uint32_t height, int quality, int small, df_bytes *out,
    char *message) {
  *out = (df_bytes){NULL, 0};
  jpeg_writer *writer = calloc(1, sizeof(jpeg_writer));
  if (writer == NULL) return DF_PICTURE_NO_MEMORY;
  j_compress_ptr info = &writer->info;
  info->err = set_errors(&writer->errors, message);
  if (setjmp(writer->errors.jump)) {
    const df_picture_status status = writer->errors.status;
    jpeg_destroy_compress(info);
    free(writer->data);
    free(writer);
    return status;
  }
  jpeg_create_compress(info);
  jpeg_mem_dest(info, &writer->data, &writer->size);
  info->image_width = width;
  info->image_height = height;
  info->input_components = 3;
  info->in_color_space = JCS_RGB;
  jpeg_set_defaults(info);
  jpeg_set_quality(info, quality, TRUE);
  info->optimize_coding = small ? TRUE : FALSE;
  if (quality >= 90) {
    info->comp_info[0].h_samp_factor = 1;
    info->comp_info[0].v_samp_factor = 1;
  }
  jpeg_start_compress(info, TRUE);
  while (info->next_scanline < height) {
    JSAMPROW row = (JSAMPROW)(rgb + (size_t)info->next_scanline * width * 3);
    jpeg_write_scanlines(info, &row, 1);
  }
  jpeg_finish_compress(info);
  *out = (df_bytes){writer->data, writer->size};
  jpeg_destroy_compress(info);
  free(writer);
  return DF_PICTURE_OK;
}
