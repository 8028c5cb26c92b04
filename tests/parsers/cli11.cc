// A trainer with CLI11.
#include <CLI/CLI.hpp>
#include "show.h"

int main(int argc, char **argv) {
  double lr = 0, offset = 0;
  int epochs = 0, x = 0;
  std::string name;
  bool amp = false, cache = true;
  std::vector<int> layers;
  CLI::App app;
  app.add_option("--lr", lr);
  app.add_option("--epochs", epochs);
  app.add_option("--name", name);
  app.add_option("--offset", offset);
  app.add_flag("--amp", amp);
  app.add_flag("--cache", cache);
  app.add_option("--layers", layers);
  app.add_option("-x", x);
  CLI11_PARSE(app, argc, argv);
  show(lr, epochs, name, offset, amp, cache, layers, x);
}
