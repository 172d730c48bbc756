/* Process 1 of the instance: takes orphans in, and stays.
 *
 * With "--orphan" before a command it leaves that to process 1, as a service in the background.
 * With arguments it becomes that command, with SIGINT in force: nsenter, which waits for it outside,
 * must ignore that signal, or the command would lose its parent while it still handles the signal.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static void on_child(int signal)
{
    (void)signal;
}

int main(int argc, char **argv)
{
    if (argc > 2 && strcmp(argv[1], "--orphan") == 0) {
        if (fork() != 0)
            return 0;
        setsid();
        argc--;
        argv++;
    }
    if (argc > 1) {
        signal(SIGINT, SIG_DFL);
        execvp(argv[1], argv + 1);
        int found = errno != ENOENT;
        fprintf(stderr, "%s: %s\n", argv[1], strerror(errno));
        return found ? 126 : 127;
    }
    sigset_t none;
    sigset_t child;
    sigemptyset(&none);
    sigemptyset(&child);
    sigaddset(&child, SIGCHLD);
    sigprocmask(SIG_BLOCK, &child, NULL);
    signal(SIGCHLD, on_child);
    for (;;) {
        while (waitpid(-1, NULL, WNOHANG) > 0)
            ;
        sigsuspend(&none);
    }
}
