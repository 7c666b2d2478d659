// C that Swift cannot or should not do itself: libjpeg's and libpng's errors leave by longjmp, which
// must never cross a Swift frame, and FFmpeg's macros and version differences are settled here.
// No header of those libraries is needed to read this one.
#pragma once

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

// Room for a message, its final zero included.
#define DF_MESSAGE_SIZE 256

// What a decoder makes of a picture file.
typedef enum {
  DF_PICTURE_OK = 0,
  DF_PICTURE_DAMAGED = 1,      // the bytes contradict the format
  DF_PICTURE_TRUNCATED = 2,    // the bytes end too early
  DF_PICTURE_UNSUPPORTED = 3,  // sound, but of a kind not decoded here
  DF_PICTURE_NO_MEMORY = 4,
} df_picture_status;

// Bytes that a writer returns; free them with df_bytes_free.
typedef struct {
  uint8_t *data;
  size_t size;
} df_bytes;

void df_bytes_free(df_bytes bytes);

// JPEG. `open` reads the header and allocates nothing that depends on the picture's size; `bytes` must
// outlive the reader. `decode` writes width * height * 3 bytes of RGB, once, and fails rather than
// fill in what is missing. `message` (DF_MESSAGE_SIZE bytes) says why.
typedef struct df_jpeg_reader df_jpeg_reader;

df_picture_status df_jpeg_open(
    const uint8_t *bytes, size_t size, df_jpeg_reader **reader, uint32_t *width, uint32_t *height,
    char *message);
df_picture_status df_jpeg_decode(df_jpeg_reader *reader, uint8_t *rgb, char *message);
// The EXIF block (it starts with the TIFF header), or NULL; valid while the reader is open.
const uint8_t *df_jpeg_exif(const df_jpeg_reader *reader, size_t *size);
// The XMP packet, in the same manner.
const uint8_t *df_jpeg_xmp(const df_jpeg_reader *reader, size_t *size);
void df_jpeg_close(df_jpeg_reader *reader);
// Quality 1 to 100; chroma is kept at full resolution from 90 on, halved both ways below. `small` takes
// time to find the best code, which leaves the pixels as they are.
df_picture_status df_jpeg_write(
    const uint8_t *rgb, uint32_t width, uint32_t height, int quality, int small, df_bytes *out,
    char *message);

// PNG, in the same manner. Alpha is dropped, 16-bit samples keep their high byte, gamma and colour
// profiles are ignored. The EXIF block and texts may stand after the pixels: ask for them after
// `decode`.
typedef struct df_png_reader df_png_reader;

df_picture_status df_png_open(
    const uint8_t *bytes, size_t size, df_png_reader **reader, uint32_t *width, uint32_t *height,
    char *message);
df_picture_status df_png_decode(df_png_reader *reader, uint8_t *rgb, char *message);
const uint8_t *df_png_exif(const df_png_reader *reader, size_t *size);
// The first text under a keyword, unpacked, or NULL; valid while the reader is open.
const uint8_t *df_png_text(const df_png_reader *reader, const char *keyword, size_t *size);
void df_png_close(df_png_reader *reader);
df_picture_status df_png_write(
    const uint8_t *rgb, uint32_t width, uint32_t height, df_bytes *out, char *message);

// FFmpeg's macros.
int df_av_error_again(void);
int df_av_error_end(void);
int df_av_error_memory(void);
// What FFmpeg returns for what it does not implement.
int df_av_error_missing(void);
int64_t df_av_no_time(void);
void df_av_error_text(int error, char *message);
// The HTTP status that an error stands for: 400, 401, 403, 404, 499 for the others of the client's, 599
// for all of the server's; 0 for errors of another kind.
int df_av_http_status(int error);

// The demuxers that may open a file: containers of video, none that reads other files or addresses.
const char *df_av_format_whitelist(void);
// What FFmpeg takes the first bytes of a file for.
typedef enum {
  DF_CONTENT_UNKNOWN = 0,
  DF_CONTENT_CONTAINER = 1,  // one of those containers
  DF_CONTENT_PICTURE = 2,    // a picture that one of its decoders reads from the whole file's bytes
} df_content;

// `bytes` must be followed by AVPROBE_PADDING_SIZE (32) zeros that `size` does not count. `name`
// may be NULL. `codec` is set to a picture's AVCodecID.
df_content df_av_probe(const uint8_t *bytes, int size, const char *name, int *codec);

// Sends FFmpeg's log of this process here instead of to standard error; kept is the first error of each
// thread since that thread last took one.
void df_av_log_collect(void);
// Copies this thread's message (empty when there is none) and forgets it.
void df_av_log_take(char *message);

// A display matrix is nine 32-bit numbers; `stream` and `frame` are an AVStream and an AVFrame.
// Returns 0 when there is none.
int df_av_stream_display_matrix(const void *stream, int32_t matrix[9]);
int df_av_frame_display_matrix(const void *frame, int32_t matrix[9]);
// Whether a frame is made of two fields.
int df_av_frame_is_interlaced(const void *frame);
// Whether a decoded frame is known to be wrong in parts.
int df_av_frame_is_damaged(const void *frame);

// Conversion of frames of one size and format to packed RGB, by the matrix and range of the frame's
// tags; untagged is BT.601, limited range unless the format says full. Where `width` and `height`
// are not the frame's, it is stretched to them.
typedef struct df_converter df_converter;

// NULL when the format cannot be converted or memory is out.
df_converter *df_converter_new(const void *frame, int width, int height);
// Whether `frame` is of the size, format and tags that `converter` was made for, and to be shown at
// its size.
int df_converter_fits(
    const df_converter *converter, const void *frame, int width, int height);
// Writes rows `stride` bytes apart. Whole vectors are written: `stride` must be a multiple of 64 that
// holds width * 3 bytes, and 64 bytes must follow the last row. Returns 0 when it fails.
int df_converter_run(df_converter *converter, const void *frame, uint8_t *rgb, int stride);
void df_converter_free(df_converter *converter);

// Conversion of packed RGB to an AVFrame of yuv420p, limited range, by the matrix of BT.709 or BT.601.
typedef struct df_yuv_converter df_yuv_converter;

// Width and height must be even. NULL when they are not or memory is out.
df_yuv_converter *df_yuv_converter_new(int width, int height, int is_bt709);
// `rgb` has `height` rows of `width` * 3 bytes; where it is smaller than the converter, its last column
// and row go on. `frame` has buffers of the converter's size. Returns 0 when it fails.
int df_yuv_converter_run(
    df_yuv_converter *converter, const uint8_t *rgb, int width, int height, void *frame);
void df_yuv_converter_free(df_yuv_converter *converter);

#ifdef __cplusplus
}
#endif
