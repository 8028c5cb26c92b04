"""A trainer in Python for the tests of MPI launches.

Every rank writes a file about itself on its host, and waits in a barrier for all ranks. The trainer calls the
MPI library by ctypes, because an image for training may have no mpi4py.
"""
import ctypes
import json
import os
import sys

NAMES = [
    "SM_CURRENT_HOST", "RANK", "LOCAL_RANK", "WORLD_SIZE", "LOCAL_WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT",
]


def library():
    """The MPI library of the launcher that started this rank, and its MPI_COMM_WORLD."""
    if "PMI_RANK" in os.environ:
        return ctypes.CDLL("libmpich.so.12", ctypes.RTLD_GLOBAL), ctypes.c_int(0x44000000)
    mpi = ctypes.CDLL("libmpi.so.40", ctypes.RTLD_GLOBAL)
    return mpi, ctypes.c_void_p(ctypes.addressof(ctypes.c_char.in_dll(mpi, "ompi_mpi_comm_world")))


def main():
    mpi, world = library()
    rank, size = ctypes.c_int(), ctypes.c_int()
    mpi.MPI_Init(None, None)
    mpi.MPI_Comm_rank(world, ctypes.byref(rank))
    mpi.MPI_Comm_size(world, ctypes.byref(size))
    env = {name: os.environ[name] for name in NAMES}
    line = json.dumps({"rank": rank.value, "size": size.value, "env": env, "argv": sys.argv[1:]})
    sys.stdout.write(line + "\n")
    with open(f"/opt/ml/output/.rank-{rank.value}", "w", encoding="utf-8") as note:
        note.write(line + "\n")
    os.rename(note.name, f"/opt/ml/output/rank-{rank.value}")
    mpi.MPI_Barrier(world)
    mpi.MPI_Finalize()


main()
