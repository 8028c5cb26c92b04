// A trainer with argp of the GNU C library.
#include <argp.h>
#include "show.h"

static double lr, offset;
static int epochs, x;
static bool amp, cache = true;
static std::string name;
static std::vector<int> layers;

static error_t parse(int key, char *arg, argp_state *) {
  switch (key) {
    case 1: lr = atof(arg); break;
    case 2: epochs = atoi(arg); break;
    case 3: name = arg; break;
    case 4: offset = atof(arg); break;
    case 5: amp = true; break;
    case 6: cache = false; break;
    case 7: layers.push_back(atoi(arg)); break;
    case 'x': x = atoi(arg); break;
    default: return ARGP_ERR_UNKNOWN;
  }
  return 0;
}

int main(int argc, char **argv) {
  const argp_option options[] = {{"lr", 1, "N", 0, "", 0},     {"epochs", 2, "N", 0, "", 0},
                                 {"name", 3, "S", 0, "", 0},   {"offset", 4, "N", 0, "", 0},
                                 {"amp", 5, nullptr, 0, "", 0}, {"no-cache", 6, nullptr, 0, "", 0},
                                 {"layers", 7, "N", 0, "", 0}, {nullptr, 'x', "N", 0, "", 0},
                                 {nullptr, 0, nullptr, 0, nullptr, 0}};
  const argp parser = {options, parse, nullptr, nullptr, nullptr, nullptr, nullptr};
  if (argp_parse(&parser, argc, argv, 0, nullptr, nullptr) != 0) return 2;
  show(lr, epochs, name, offset, amp, cache, layers, x);
}
