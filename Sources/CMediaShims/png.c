// PNG in memory to and from RGB. Errors leave libpng by longjmp to the function that was called.
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <png.h>

#include "CMediaShims.h"

// Deflate never does better than 1032 to 1.
#define DEFLATE_LIMIT 1032
// Texts and the like that are kept at most; each may unpack to 8 MB.
#define KEPT_CHUNKS 64

typedef struct {
  jmp_buf jump;
  char *message;
  df_picture_status status;
} error_state;

struct df_png_reader {
  png_structp png;
  png_infop info;
  error_state errors;
  const uint8_t *bytes;
  size_t size;
  size_t place;
};

static void leave(png_structp png, png_const_charp text) {
  error_state *errors = png_get_error_ptr(png);
  if (errors->status == DF_PICTURE_OK) {
    errors->status = DF_PICTURE_DAMAGED;
    snprintf(errors->message, DF_MESSAGE_SIZE, "%s", text);
  }
  longjmp(errors->jump, 1);
}

static void ignore_warning(png_structp png, png_const_charp text) {
  (void)png;
  (void)text;
}

static void read_bytes(png_structp png, png_bytep target, size_t count) {
  df_png_reader *reader = png_get_io_ptr(png);
  if (count > reader->size - reader->place) {
    reader->errors.status = DF_PICTURE_TRUNCATED;
    snprintf(reader->errors.message, DF_MESSAGE_SIZE, "the data end before the picture does");
    png_error(png, "end of data");
  }
  memcpy(target, reader->bytes + reader->place, count);
  reader->place += count;
}

df_picture_status df_png_open(
    const uint8_t *bytes, size_t size, df_png_reader **out, uint32_t *width, uint32_t *height,
    char *message) {
  *out = NULL;
  df_png_reader *reader = calloc(1, sizeof(df_png_reader));
  if (reader == NULL) return DF_PICTURE_NO_MEMORY;
  reader->errors.message = message;
  reader->bytes = bytes;
  reader->size = size;
  reader->png =
      png_create_read_struct(PNG_LIBPNG_VER_STRING, &reader->errors, leave, ignore_warning);
  reader->info = reader->png == NULL ? NULL : png_create_info_struct(reader->png);
  if (reader->info == NULL) {
    df_png_close(reader);
    return DF_PICTURE_NO_MEMORY;
  }
  if (setjmp(reader->errors.jump)) {
    const df_picture_status status = reader->errors.status;
    df_png_close(reader);
    return status;
  }
  png_set_read_fn(reader->png, reader, read_bytes);
  png_set_chunk_cache_max(reader->png, KEPT_CHUNKS);
  png_read_info(reader->png, reader->info);
  *width = png_get_image_width(reader->png, reader->info);
  *height = png_get_image_height(reader->png, reader->info);
  const uint64_t unpacked = (uint64_t)png_get_rowbytes(reader->png, reader->info) * *height;
  if (unpacked / DEFLATE_LIMIT > size) {
    reader->errors.status = DF_PICTURE_TRUNCATED;
    snprintf(message, DF_MESSAGE_SIZE, "the data cannot hold %ux%u pixels", *width, *height);
    png_error(reader->png, "too small");
  }
  *out = reader;
  return DF_PICTURE_OK;
}

// What comes after the pixels may hold the EXIF block and texts, and nothing else of use.
static void read_rest(df_png_reader *reader) {
  if (setjmp(reader->errors.jump)) return;
  png_read_end(reader->png, reader->info);
}

df_picture_status df_png_decode(df_png_reader *reader, uint8_t *rgb, char *message) {
  png_structp png = reader->png;
  reader->errors.message = message;
  if (setjmp(reader->errors.jump)) return reader->errors.status;
  png_set_expand(png);
  png_set_strip_16(png);
  png_set_strip_alpha(png);
  png_set_gray_to_rgb(png);
  const int passes = png_set_interlace_handling(png);
  png_read_update_info(png, reader->info);
  const size_t width = png_get_image_width(png, reader->info);
  const size_t height = png_get_image_height(png, reader->info);
  if (png_get_rowbytes(png, reader->info) != width * 3) {
    snprintf(message, DF_MESSAGE_SIZE, "a colour type that does not turn into RGB");
    return DF_PICTURE_UNSUPPORTED;
  }
  for (int pass = 0; pass < passes; pass++) {
    for (size_t y = 0; y < height; y++) png_read_row(png, rgb + y * width * 3, NULL);
  }
  char ignored[DF_MESSAGE_SIZE];
  reader->errors.message = ignored;
  read_rest(reader);
  reader->errors.message = message;
  return DF_PICTURE_OK;
}

const uint8_t *df_png_exif(const df_png_reader *reader, size_t *size) {
  png_uint_32 count = 0;
  png_bytep block = NULL;
  *size = 0;
#ifdef PNG_eXIf_SUPPORTED
  if (png_get_eXIf_1(reader->png, reader->info, &count, &block) == 0) return NULL;
  *size = count;
#endif
  return block;
}

const uint8_t *df_png_text(const df_png_reader *reader, const char *keyword, size_t *size) {
  png_textp texts = NULL;
  int count = 0;
  *size = 0;
  png_get_text(reader->png, reader->info, &texts, &count);
  for (int i = 0; i < count; i++) {
    const png_text *text = &texts[i];
    if (text->key == NULL || text->text == NULL || strcmp(text->key, keyword) != 0) continue;
    *size = text->compression > 0 ? text->itxt_length : text->text_length;
    return (const uint8_t *)text->text;
  }
  return NULL;
}

void df_png_close(df_png_reader *reader) {
  png_destroy_read_struct(&reader->png, &reader->info, NULL);
  free(reader);
}

typedef struct {
  png_structp png;
  png_infop info;
  error_state errors;
  df_bytes bytes;
  size_t capacity;
} png_writer;

static void write_bytes(png_structp png, png_bytep source, size_t count) {
  png_writer *writer = png_get_io_ptr(png);
  df_bytes *bytes = &writer->bytes;
  if (count > writer->capacity - bytes->size) {
    const size_t capacity = (bytes->size + count) * 2;
    uint8_t *data = realloc(bytes->data, capacity);
    if (data == NULL) {
      writer->errors.status = DF_PICTURE_NO_MEMORY;
      png_error(png, "out of memory");
    }
    bytes->data = data;
    writer->capacity = capacity;
  }
  memcpy(bytes->data + bytes->size, source, count);
  bytes->size += count;
}

static void flush_nothing(png_structp png) { (void)png; }

df_picture_status df_png_write(
    const uint8_t *rgb, uint32_t width, uint32_t height, df_bytes *out, char *message) {
  *out = (df_bytes){NULL, 0};
  png_writer *writer = calloc(1, sizeof(png_writer));
  if (writer == NULL) return DF_PICTURE_NO_MEMORY;
  writer->errors.message = message;
  writer->png =
      png_create_write_struct(PNG_LIBPNG_VER_STRING, &writer->errors, leave, ignore_warning);
  writer->info = writer->png == NULL ? NULL : png_create_info_struct(writer->png);
  if (writer->info == NULL) {
    png_destroy_write_struct(&writer->png, &writer->info);
    free(writer);
    return DF_PICTURE_NO_MEMORY;
  }
  if (setjmp(writer->errors.jump)) {
    const df_picture_status status = writer->errors.status;
    png_destroy_write_struct(&writer->png, &writer->info);
    free(writer->bytes.data);
    free(writer);
    return status;
  }
  png_set_write_fn(writer->png, writer, write_bytes, flush_nothing);
  png_set_IHDR(
      writer->png, writer->info, width, height, 8, PNG_COLOR_TYPE_RGB, PNG_INTERLACE_NONE,
      PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
  png_write_info(writer->png, writer->info);
  for (size_t y = 0; y < height; y++) {
    png_write_row(writer->png, (png_const_bytep)(rgb + y * width * 3));
  }
  png_write_end(writer->png, writer->info);
  *out = writer->bytes;
  png_destroy_write_struct(&writer->png, &writer->info);
  free(writer);
  return DF_PICTURE_OK;
}

void df_bytes_free(df_bytes bytes) { free(bytes.data); }
