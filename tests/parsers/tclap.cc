// A trainer with TCLAP.
#include <tclap/CmdLine.h>
#include "show.h"

int main(int argc, char **argv) {
  TCLAP::CmdLine cmd("train", '=');
  TCLAP::ValueArg<double> lr("", "lr", "", false, 0, "", cmd), offset("", "offset", "", false, 0, "", cmd);
  TCLAP::ValueArg<int> epochs("", "epochs", "", false, 0, "", cmd), x("", "x", "", false, 0, "", cmd);
  TCLAP::ValueArg<std::string> name("", "name", "", false, "", "", cmd);
  TCLAP::SwitchArg amp("", "amp", "", cmd, false), cache("", "no-cache", "", cmd, false);
  TCLAP::MultiArg<int> layers("", "layers", "", false, "", cmd);
  cmd.parse(argc, argv);
  show(lr.getValue(), epochs.getValue(), name.getValue(), offset.getValue(), amp.getValue(), !cache.getValue(),
       layers.getValue(), x.getValue());
}
