// What the trainers in C++ share.
#pragma once
#include <cmath>
#include <cstdlib>
#include <iostream>
#include <string>
#include <vector>

// show prints what a parser has understood, in one line.
inline void show(double lr, int epochs, const std::string &name, double offset, bool amp, bool cache,
                 const std::vector<int> &layers, int x) {
  std::cout << std::lround(lr * 1e6) << ' ' << epochs << ' ' << name << ' ' << std::lround(offset * 10) << ' '
            << (amp ? "true" : "false") << ' ' << (cache ? "true" : "false") << ' ';
  for (size_t i = 0; i < layers.size(); i++) std::cout << (i ? "," : "") << layers[i];
  std::cout << ' ' << x << std::endl;
}

// numbers reads the whole numbers in a text such as [1,2].
inline std::vector<int> numbers(const std::string &text) {
  std::vector<int> found;
  for (const char *p = text.c_str(); *p;) {
    char *end;
    long n = std::strtol(p, &end, 10);
    if (end == p) {
      p++;
      continue;
    }
    found.push_back(static_cast<int>(n));
    p = end;
  }
  return found;
}
