// A sample trainer in C++. It computes the mean of the numbers in the channel train. It takes GNU-style
// flags, so it needs --args-style gnu.
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <stdexcept>
#include <string>

static std::string env(const char* name) {
  const char* value = std::getenv(name);
  if (!value) throw std::runtime_error(std::string(name) + " is not set");
  return value;
}

int main(int argc, char** argv) {
  double scale = 1;
  bool verbose = false;
  for (int i = 1; i < argc; i++) {
    std::cout << "argv[" << i << "] " << argv[i] << '\n';
    if (std::strncmp(argv[i], "--scale=", 8) == 0) {
      scale = std::stod(argv[i] + 8);
    } else if (std::strcmp(argv[i], "--verbose") == 0) {
      verbose = true;
    } else {
      throw std::runtime_error(std::string("unknown flag ") + argv[i]);
    }
  }
  double sum = 0, n = 0;
  for (const auto& entry : std::filesystem::directory_iterator(env("SM_CHANNEL_TRAIN"))) {
    std::ifstream in(entry.path());
    for (double x; in >> x; n++) sum += x;
    if (verbose) std::cout << "read " << entry.path().filename().string() << '\n';
  }
  const double mean = scale * sum / n;
  std::ofstream(env("SM_MODEL_DIR") + "/mean.txt") << mean << '\n';
  std::cout << "host " << env("SM_CURRENT_HOST") << " of " << env("SM_HOSTS") << ": mean " << mean << '\n';
}
