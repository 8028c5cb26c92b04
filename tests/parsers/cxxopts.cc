// A trainer with cxxopts.
#include <cxxopts.hpp>
#include "show.h"

int main(int argc, char **argv) {
  cxxopts::Options o("train");
  o.add_options()("lr", "", cxxopts::value<double>())("epochs", "", cxxopts::value<int>())(
      "name", "", cxxopts::value<std::string>())("offset", "", cxxopts::value<double>())(
      "amp", "", cxxopts::value<bool>()->default_value("false"))(
      "cache", "", cxxopts::value<bool>()->default_value("true"))("layers", "", cxxopts::value<std::vector<int>>())(
      "x", "", cxxopts::value<int>());
  auto r = o.parse(argc, argv);
  show(r["lr"].as<double>(), r["epochs"].as<int>(), r["name"].as<std::string>(), r["offset"].as<double>(),
       r["amp"].as<bool>(), r["cache"].as<bool>(), r["layers"].as<std::vector<int>>(), r["x"].as<int>());
}
