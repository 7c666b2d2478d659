// What ships inside the program: files embedded at build time, so that a copied binary has them.
#ifndef CDFRESOURCES_H
#define CDFRESOURCES_H

#include <stddef.h>

/// One embedded file. Text is UTF-8 and not terminated.
typedef struct df_resource {
  const char *name;  // without folder and extension, terminated
  const unsigned char *bytes;
  size_t count;
} df_resource;

/// The number of built-in recipes.
size_t df_recipe_count(void);
/// The recipe of that index, in the order in which they are listed.
df_resource df_recipe(size_t index);

/// The catalogue of weights that can be fetched.
df_resource df_weights_catalogue(void);

/// The number of weights files that ship.
size_t df_weights_count(void);
/// The safetensors file of that index, in the order in which they are listed.
df_resource df_weights(size_t index);
/// What is to be said of them, YAML.
df_resource df_weights_cards(void);

/// The template of an audit's page.
df_resource df_audit_page(void);

/// The template of a video's page.
df_resource df_video_page(void);

#endif
