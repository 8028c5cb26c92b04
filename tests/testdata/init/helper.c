// What the tests of the init start: it shows what it was started with, or acts as the trainers of the cases do.
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static void say(const char *text) {
  if (write(1, text, strlen(text)) < 0) _exit(99);
}

// report: dispositions, mask, timer slack, limits, descriptors and directory as they came.
static void report(void) {
  printf("ignored");
  for (int i = 1; i < 32; i++) {
    struct sigaction act;
    if (sigaction(i, NULL, &act) == 0 && act.sa_handler == SIG_IGN) printf(" %d", i);
  }
  sigset_t set;
  sigprocmask(0, NULL, &set);
  printf("\nblocked");
  for (int i = 1; i < 32; i++)
    if (sigismember(&set, i)) printf(" %d", i);
  struct rlimit files;
  getrlimit(RLIMIT_NOFILE, &files);
  printf("\nslack %d", prctl(PR_GET_TIMERSLACK));
  printf("\nnofile %llu %llu\nfds", (unsigned long long)files.rlim_cur, (unsigned long long)files.rlim_max);
  for (int fd = 0; fd < 1024; fd++)
    if (fcntl(fd, F_GETFD) >= 0) printf(" %d", fd);
  char dir[4096];
  printf("\ndir %s\n", getcwd(dir, sizeof dir));
}

// signals N: prints the number of each signal that arrives, N of them.
static void signals(int n) {
  sigset_t all;
  sigfillset(&all);
  sigdelset(&all, SIGCHLD); // of its own children
  sigprocmask(SIG_SETMASK, &all, NULL);
  say("ready\n");
  for (int i = 0; i < n; i++) {
    char line[16];
    snprintf(line, sizeof line, "%d\n", sigwaitinfo(&all, NULL));
    say(line);
  }
}

// wait-for-end CODE: leaves with a code on SIGTERM. stubborn: ignores it.
static void on_term(int sig) { (void)sig; }

static int await_term(int code) {
  struct sigaction act = {.sa_handler = on_term};
  sigset_t term, old;
  sigemptyset(&term);
  sigaddset(&term, SIGTERM);
  sigprocmask(SIG_BLOCK, &term, &old);
  sigaction(SIGTERM, &act, NULL);
  say("ready\n");
  sigsuspend(&old);
  return code;
}

static void stubborn(void) {
  signal(SIGTERM, SIG_IGN);
  signal(SIGUSR1, SIG_IGN);
  say("ready\n");
  for (;;) pause();
}

// orphans N: leaves N grandchildren without a parent, each of which ends at once, and says how many it started.
static void orphans(int n) {
  for (int i = 0; i < n; i++) {
    pid_t child = fork();
    if (child < 0) _exit(98);
    if (child == 0) {
      if (fork() == 0) _exit(i & 1);
      _exit(0);
    }
    while (waitpid(child, NULL, 0) < 0 && errno == EINTR) {
    }
  }
}

// statuses N: starts N short children of its own and checks that it gets each status, whatever the init reaps.
static int statuses(int n) {
  int wrong = 0;
  for (int i = 0; i < n; i++) {
    pid_t child = fork();
    if (child == 0) _exit(i % 200);
    int status;
    if (waitpid(child, &status, 0) != child || !WIFEXITED(status) || WEXITSTATUS(status) != i % 200) wrong++;
  }
  return wrong ? 97 : 0;
}

// stray KIND: leaves a process behind, which writes its number to the file "stray" first. term: it says "terminated" into
// the file "told" on SIGTERM; stubborn: it ignores that; session: it does in a session of its own; quiet: it
// only lives, holding stdout.
static void stray(const char *kind) {
  int ready[2];
  if (pipe(ready) < 0) _exit(96);
  if (fork() == 0) {
    if (strcmp(kind, "session") == 0) setsid();
    if (strcmp(kind, "stubborn") == 0 || strcmp(kind, "session") == 0) signal(SIGTERM, SIG_IGN);
    sigset_t term;
    sigemptyset(&term);
    sigaddset(&term, SIGTERM);
    if (strcmp(kind, "term") == 0) sigprocmask(SIG_BLOCK, &term, NULL);
    FILE *f = fopen("stray", "w");
    fprintf(f, "%d\n", getpid());
    fclose(f);
    if (write(ready[1], "x", 1) != 1) _exit(95);
    if (strcmp(kind, "term") == 0) {
      int sig;
      sigwait(&term, &sig);
      f = fopen("told", "w");
      fprintf(f, "terminated\n");
      fclose(f);
      _exit(0);
    }
    for (;;) pause();
  }
  char c;
  if (read(ready[0], &c, 1) != 1) _exit(94);
}

// tree KIND: a child beside it, to see who gets a signal. It writes the child's number to the file "stray".
static void tree(void) {
  int ready[2];
  if (pipe(ready) < 0) _exit(96);
  if (fork() == 0) {
    FILE *f = fopen("stray", "w");
    fprintf(f, "%d\n", getpid());
    fclose(f);
    if (write(ready[1], "x", 1) != 1) _exit(95);
    for (;;) pause();
  }
  char c;
  if (read(ready[0], &c, 1) != 1) _exit(94);
}

// inherit ignores and blocks signals, sets a timer slack, and executes the rest of its words. It first resets all
// signals, since nohup and a shell's background jobs ignore some.
static void inherit(char **argv) {
  for (int sig = 1; sig <= 31; sig++) signal(sig, SIG_DFL);
  signal(SIGTTOU, SIG_IGN);
  signal(SIGSEGV, SIG_IGN);
  signal(SIGINT, SIG_IGN);
  signal(SIGPIPE, SIG_IGN);
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGTTIN);
  sigaddset(&set, SIGILL);
  sigaddset(&set, SIGTERM);
  sigprocmask(SIG_SETMASK, &set, NULL);
  prctl(PR_SET_TIMERSLACK, 70000);
  execvp(argv[0], argv);
  _exit(93);
}

int main(int argc, char **argv) {
  const char *verb = argc > 1 ? argv[1] : "";
  int n = argc > 2 ? atoi(argv[2]) : 0;
  if (strcmp(verb, "report") == 0) report();
  if (strcmp(verb, "signals") == 0) signals(n);
  if (strcmp(verb, "await-term") == 0) return await_term(n);
  if (strcmp(verb, "stubborn") == 0) stubborn();
  if (strcmp(verb, "orphans") == 0) orphans(n);
  if (strcmp(verb, "statuses") == 0) return statuses(n);
  if (strcmp(verb, "stray") == 0) stray(argv[2]);
  if (strcmp(verb, "stray-wait") == 0) {
    stray(argv[2]);
    stubborn();
  }
  if (strcmp(verb, "tree") == 0) {
    tree();
    return await_term(n);
  }
  if (strcmp(verb, "tree-stubborn") == 0) {
    tree();
    stubborn();
  }
  if (strcmp(verb, "tree-signals") == 0) {
    tree();
    signals(n);
  }
  if (strcmp(verb, "wait-child") == 0) { // ignores USR1, its child does not; leaves with a code when the child is gone
    signal(SIGUSR1, SIG_IGN);
    pid_t child = fork();
    if (child == 0) {
      signal(SIGUSR1, SIG_DFL);
      say("ready\n");
      for (;;) pause();
    }
    waitpid(child, NULL, 0);
    return n;
  }
  if (strcmp(verb, "orphans-stay") == 0) {
    orphans(n);
    return await_term(0);
  }
  if (strcmp(verb, "inherit") == 0) inherit(argv + 2);
  if (strcmp(verb, "die") == 0) {
    signal(n, SIG_DFL);
    raise(n);
    return 0; // what an init that is PID 1 itself would give
  }
  if (strcmp(verb, "abort") == 0) abort();
  if (strcmp(verb, "parent") == 0) { // starts the rest of its words and is killed at once
    pid_t child = fork();
    if (child == 0) {
      execvp(argv[2], argv + 2);
      _exit(93);
    }
    for (;;) pause();
  }
  return 0;
}
