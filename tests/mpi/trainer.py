"""A trainer in Python for the tests of MPI launches: it uses the MPI library itself, since an image for training may
have no mpi4py, takes part in a barrier of all ranks, and notes who it is on its own host.
"""
import ctypes
import json
import os
import sys

NAMES = ["SM_CURRENT_HOST", "RANK", "LOCAL_RANK", "WORLD_SIZE", "LOCAL_WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT"]


def library():
    """The library of the launcher that started this rank, and its name for all ranks."""
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
    line = json.dumps({"rank": rank.value, "size": size.value, "env": {name: os.environ[name] for name in NAMES}, "argv": sys.argv[1:]})
    sys.stdout.write(line + "\n")
    with open(f"/opt/ml/output/.rank-{rank.value}", "w", encoding="utf-8") as note:
        note.write(line + "\n")
    os.rename(note.name, f"/opt/ml/output/rank-{rank.value}")
    mpi.MPI_Barrier(world)
    mpi.MPI_Finalize()


main()
