// A trainer with the flags of Abseil.
#include <absl/flags/flag.h>
#include <absl/flags/parse.h>
#include "show.h"

ABSL_FLAG(double, lr, 0, "");
ABSL_FLAG(int, epochs, 0, "");
ABSL_FLAG(std::string, name, "", "");
ABSL_FLAG(double, offset, 0, "");
ABSL_FLAG(bool, amp, false, "");
ABSL_FLAG(bool, cache, true, "");
ABSL_FLAG(std::string, layers, "", "Abseil keeps the last of several; a list is one text");
ABSL_FLAG(int, x, 0, "");

int main(int argc, char **argv) {
  absl::ParseCommandLine(argc, argv);
  show(absl::GetFlag(FLAGS_lr), absl::GetFlag(FLAGS_epochs), absl::GetFlag(FLAGS_name), absl::GetFlag(FLAGS_offset),
       absl::GetFlag(FLAGS_amp), absl::GetFlag(FLAGS_cache), numbers(absl::GetFlag(FLAGS_layers)), absl::GetFlag(FLAGS_x));
}
