// A trainer with gflags.
#include <gflags/gflags.h>
#include "show.h"

DEFINE_double(lr, 0, "");
DEFINE_int32(epochs, 0, "");
DEFINE_string(name, "", "");
DEFINE_double(offset, 0, "");
DEFINE_bool(amp, false, "");
DEFINE_bool(cache, true, "");
DEFINE_string(layers, "", "gflags keeps the last of several; a list is one text");
DEFINE_int32(x, 0, "");

int main(int argc, char **argv) {
  gflags::ParseCommandLineFlags(&argc, &argv, true);
  show(FLAGS_lr, FLAGS_epochs, FLAGS_name, FLAGS_offset, FLAGS_amp, FLAGS_cache, numbers(FLAGS_layers), FLAGS_x);
}
