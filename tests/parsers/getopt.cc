// A trainer with getopt_long.
#include <getopt.h>
#include "show.h"

int main(int argc, char **argv) {
  double lr = 0, offset = 0;
  int epochs = 0, x = 0, amp = 0, cache = 1;
  std::string name;
  std::vector<int> layers;
  const option options[] = {{"lr", required_argument, nullptr, 'r'},     {"epochs", required_argument, nullptr, 'e'},
                            {"name", required_argument, nullptr, 'n'},   {"offset", required_argument, nullptr, 'o'},
                            {"layers", required_argument, nullptr, 'l'}, {"amp", no_argument, &amp, 1},
                            {"cache", no_argument, &cache, 1},           {"no-cache", no_argument, &cache, 0},
                            {nullptr, 0, nullptr, 0}};
  for (int c; (c = getopt_long(argc, argv, "x:", options, nullptr)) != -1;) {
    switch (c) {
      case 'r': lr = atof(optarg); break;
      case 'e': epochs = atoi(optarg); break;
      case 'n': name = optarg; break;
      case 'o': offset = atof(optarg); break;
      case 'l': layers.push_back(atoi(optarg)); break;
      case 'x': x = atoi(optarg); break;
      case '?': return 2;
    }
  }
  show(lr, epochs, name, offset, amp, cache, layers, x);
}
