// A trainer for the tests of MPI launches. Each rank prints who it is, and the ranks add up their numbers
// again and again. A test can tell a rank to fail. The arguments are KEY=VALUE:
//
//   for=SECONDS   how long to train; without it, the ranks add up once
//   save=SECONDS  after SIGTERM write a checkpoint, which takes that long
//   rank=R        the rank that act and mortal are for
//   act=WHAT      exit:CODE, abort:CODE, kill (SIGKILL), oom, or send (to a rank that does not exist), when the
//                 host of the rank has /opt/ml/go
//   mortal=yes    a SIGTERM ends the rank after half a second
//   hello=yes     print "starts" before the start of MPI
//   alone=yes     after SIGTERM every rank saves at once, without waiting for the others
//
// Without act, the file /opt/ml/go on any host ends the training of all ranks.
#define _GNU_SOURCE
#include <mpi.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static int rank, size;
static volatile sig_atomic_t stopped;

static void stop(int sig) {
  (void)sig;
  stopped = 1;
}

static void die(int sig) {
  usleep(500000);
  signal(sig, SIG_DFL);
  raise(sig);
}

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec + t.tv_nsec / 1e9;
}

// rest sleeps for some seconds; signals do not end the sleep.
static void rest(double seconds) {
  for (double end = now() + seconds; now() < end;) usleep(10000);
}

// word returns the value of an argument KEY=VALUE, or otherwise if there is none.
static const char *word(int argc, char **argv, const char *key, const char *otherwise) {
  size_t n = strlen(key);
  for (int i = 1; i < argc; i++)
    if (!strncmp(argv[i], key, n) && argv[i][n] == '=') return argv[i] + n + 1;
  return otherwise;
}

// note writes a file about this rank on its host. The test reads it there.
static void note(const char *what, const char *text) {
  char part[99], path[99];
  snprintf(part, sizeof part, "/opt/ml/output/.%s-%d", what, rank);
  snprintf(path, sizeof path, "/opt/ml/output/%s-%d", what, rank);
  FILE *f = fopen(part, "w");
  if (!f || fputs(text, f) < 0 || fclose(f) || rename(part, path)) {
    perror(path);
    exit(99);
  }
}

// quoted prints a string in JSON.
static void quoted(FILE *out, const char *s) {
  putc('"', out);
  for (; *s; s++) {
    if (*s == '"' || *s == '\\') putc('\\', out);
    if ((unsigned char)*s < ' ') fprintf(out, "\\u%04x", *s);
    else putc(*s, out);
  }
  putc('"', out);
}

// introduce prints one line of JSON about this rank. It uses one write(2), because the ranks share their
// output.
static void introduce(int argc, char **argv) {
  char host[256] = "", *text;
  size_t n;
  MPI_Comm here;
  int local;
  gethostname(host, sizeof host - 1);
  MPI_Comm_split_type(MPI_COMM_WORLD, MPI_COMM_TYPE_SHARED, 0, MPI_INFO_NULL, &here);
  MPI_Comm_rank(here, &local);
  MPI_Comm_free(&here);
  FILE *out = open_memstream(&text, &n);
  fprintf(out, "{\"rank\": %d, \"size\": %d, \"local\": %d, \"pid\": %d, ", rank, size, local, getpid());
  fputs("\"host\": ", out);
  quoted(out, host);
  fputs(", \"env\": {", out);
  const char *names[] = {"SM_CURRENT_HOST",  "RANK",        "LOCAL_RANK", "WORLD_SIZE",
                         "LOCAL_WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT"};
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
    const char *value = getenv(names[i]);
    fprintf(out, "%s\"%s\": ", i ? ", " : "", names[i]);
    quoted(out, value ? value : "(unset)");
  }
  fputs("}, \"argv\": [", out);
  for (int i = 1; i < argc; i++) {
    if (i > 1) fputs(", ", out);
    quoted(out, argv[i]);
  }
  fputs("]}\n", out);
  fclose(out);
  if (write(1, text, n) < 0) exit(99);
  note("rank", text);
}

// around adds up the numbers of all ranks. It returns 0 if a peer does not answer within some seconds after
// this rank was told to stop, else 1.
static int around(int give[3], int got[3], double seconds) {
  MPI_Request request;
  int done = 0;
  MPI_Iallreduce(give, got, 3, MPI_INT, MPI_SUM, MPI_COMM_WORLD, &request);
  for (double since = 0;;) {
    MPI_Test(&request, &done, MPI_STATUS_IGNORE);
    if (done) return 1;
    if (stopped && !since) since = now();
    if (since && now() >= since + seconds) return 0;
    usleep(2000);
  }
}

// act makes this rank fail.
static void act(const char *what) {
  const char *code = strchr(what, ':');
  int n = code ? atoi(code + 1) : 0;
  switch (*what) {
  case 'e':
    fprintf(stderr, "RuntimeError: rank %d has no luck\n", rank);
    _exit(n);
  case 'a':
    MPI_Abort(MPI_COMM_WORLD, n);
    break;
  case 'k':
    kill(getpid(), SIGKILL);
    break;
  case 's':
    MPI_Send(&n, 1, MPI_INT, size, 0, MPI_COMM_WORLD);
    break;
  case 'o':
    for (;;) {
      char *p = malloc(1 << 24);
      if (p) memset(p, 1, 1 << 24);
    }
  }
}

int main(int argc, char **argv) {
  double end = now() + atof(word(argc, argv, "for", "0"));
  const char *what = word(argc, argv, "act", NULL), *save = word(argc, argv, "save", NULL);
  if (word(argc, argv, "hello", NULL) && write(1, "starts\n", 7) < 0) return 99;
  MPI_Init(&argc, &argv);
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  MPI_Comm_size(MPI_COMM_WORLD, &size);
  int mine = rank == atoi(word(argc, argv, "rank", "-1"));
  // After MPI_Init, because an MPI library may set handlers of its own when it starts.
  if (save) signal(SIGTERM, mine && word(argc, argv, "mortal", NULL) ? die : stop);
  introduce(argc, argv);

  int whole = 1, alone = word(argc, argv, "alone", NULL) != NULL;
  for (int finished = 0; !finished;) {
    int go = !access("/opt/ml/go", F_OK);
    if (go && mine && what) act(what);
    int give[3] = {rank, now() >= end || (go && !what), stopped}, got[3] = {0};
    whole = around(give, got, alone ? 0 : 1);
    if (whole && got[0] != size * (size - 1) / 2) {
      fprintf(stderr, "rank %d: the sum of all ranks is %d\n", rank, got[0]);
      return 98;
    }
    finished = !whole || got[1] || got[2];
    if (!finished) usleep(20000);
    else if (save && (stopped || got[2])) {
      rest(atof(save));
      note("saved", stopped ? "TERM\n" : "heard of another's TERM\n");
    }
  }
  if (!whole) _exit(0); // MPI_Finalize waits for all ranks, and a peer is lost
  MPI_Finalize();
  return 0;
}
