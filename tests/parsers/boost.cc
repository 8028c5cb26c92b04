// A trainer with Boost.Program_options.
#include <boost/program_options.hpp>
#include "show.h"

namespace po = boost::program_options;

int main(int argc, char **argv) {
  double lr = 0, offset = 0;
  int epochs = 0, x = 0;
  std::string name;
  bool amp = false, cache = true;
  std::vector<int> layers;
  po::options_description d;
  d.add_options()("lr", po::value(&lr))("epochs", po::value(&epochs))("name", po::value(&name))(
      "offset", po::value(&offset))("amp", po::value(&amp))("cache", po::value(&cache))("layers", po::value(&layers))(
      ",x", po::value(&x));
  po::variables_map vm;
  po::store(po::parse_command_line(argc, argv, d), vm);
  po::notify(vm);
  show(lr, epochs, name, offset, amp, cache, layers, x);
}
