// A trainer in C++ for the tests of MPI launches. Every rank computes the mean of all ranks, and writes a
// file about itself on its host.
#include <mpi.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <sstream>
#include <stdexcept>
#include <string>

static std::string env(const char* name) {
  const char* value = std::getenv(name);
  if (!value) throw std::runtime_error(std::string(name) + " is not set");
  return value;
}

int main(int argc, char** argv) {
  MPI_Init(&argc, &argv);
  int rank, size;
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  MPI_Comm_size(MPI_COMM_WORLD, &size);
  double sum, mine = rank;
  MPI_Allreduce(&mine, &sum, 1, MPI_DOUBLE, MPI_SUM, MPI_COMM_WORLD);
  const double mean = sum / size;
  if (mean != (size - 1) / 2.0) throw std::runtime_error("the mean of all ranks is " + std::to_string(mean));
  std::ostringstream line;
  line << "{\"rank\": " << rank << ", \"size\": " << size << ", \"env\": {";
  const char* comma = "";
  for (const char* name : {"SM_CURRENT_HOST", "RANK", "LOCAL_RANK", "WORLD_SIZE", "LOCAL_WORLD_SIZE",
                           "MASTER_ADDR", "MASTER_PORT"}) {
    line << comma << '"' << name << "\": \"" << env(name) << '"';
    comma = ", ";
  }
  line << "}}\n";
  std::cout << line.str() << std::flush;
  const std::string dir = "/opt/ml/output/", name = "rank-" + std::to_string(rank);
  std::ofstream(dir + "." + name) << line.str();
  if (std::rename((dir + "." + name).c_str(), (dir + name).c_str()))
    throw std::runtime_error("cannot write " + dir + name);
  MPI_Finalize();
}
