#include "include/CDFResources.h"

// #embed is C23; the compiler has it in C17 too and would warn.
#pragma clang diagnostic ignored "-Wc23-extensions"

static const unsigned char default_recipe[] = {
#embed "Recipes/default.yaml"
};

static const unsigned char dfdc_silver[] = {
#embed "Recipes/dfdc-silver.yaml"
};

static const df_resource recipes[] = {
  {"default", default_recipe, sizeof default_recipe},
  {"dfdc-silver", dfdc_silver, sizeof dfdc_silver},
};

static const unsigned char weights_catalogue[] = {
#embed "Catalogue/weights.yaml"
};

df_resource df_weights_catalogue(void) {
  return (df_resource){"weights", weights_catalogue, sizeof weights_catalogue};
}

// Weights are aligned as safetensors aligns its tensors.
static const _Alignas(64) unsigned char default_weights[] = {
#embed "Weights/default.safetensors"
};

static const _Alignas(64) unsigned char default_lite2_weights[] = {
#embed "Weights/default-lite2.safetensors"
};

static const _Alignas(64) unsigned char default_192_weights[] = {
#embed "Weights/default-192.safetensors"
};

static const _Alignas(64) unsigned char look_alike_weights[] = {
#embed "Weights/look-alike.safetensors"
};

static const _Alignas(64) unsigned char face_detector_weights[] = {
#embed "Weights/face-detector.safetensors"
};

static const df_resource weights[] = {
  {"default", default_weights, sizeof default_weights},
  {"default-lite2", default_lite2_weights, sizeof default_lite2_weights},
  {"default-192", default_192_weights, sizeof default_192_weights},
  {"face-detector", face_detector_weights, sizeof face_detector_weights},
  {"look-alike", look_alike_weights, sizeof look_alike_weights},
};

static const unsigned char weights_cards[] = {
#embed "Catalogue/shipped.yaml"
};

df_resource df_weights_cards(void) {
  return (df_resource){"shipped", weights_cards, sizeof weights_cards};
}

static const unsigned char audit_page[] = {
#embed "Pages/audit.mustache"
};

df_resource df_audit_page(void) {
  return (df_resource){"audit", audit_page, sizeof audit_page};
}

static df_resource at(const df_resource *list, size_t count, size_t index) {
  if (index >= count) return (df_resource){"", (const unsigned char *)"", 0};
  return list[index];
}

size_t df_recipe_count(void) { return sizeof recipes / sizeof recipes[0]; }

df_resource df_recipe(size_t index) { return at(recipes, df_recipe_count(), index); }

size_t df_weights_count(void) { return sizeof weights / sizeof weights[0]; }

df_resource df_weights(size_t index) { return at(weights, df_weights_count(), index); }

static const unsigned char video_page[] = {
#embed "Pages/video.mustache"
};

df_resource df_video_page(void) {
  return (df_resource){"video", video_page, sizeof video_page};
}
