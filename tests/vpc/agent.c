/* Stands in for amazon-ssm-agent, ssm-agent-worker and updater: one real program under these names,
 * so that /proc/PID/exe, comm and the sockets are what the real ones show.
 *
 * Orders come on standard input, so that neither arguments nor environment tell of the simulation:
 * none: the agent does not start its worker; "need ADDRESS PORT": one of these must be reachable;
 * "hold ADDRESS PORT": the first that can be reached is the control channel and stays open.
 * The worker (or the agent without one) closes standard output when all that is done.
 * At SIGUSR1 the worker writes to its channel.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define MOST 64
#define PATIENCE_MS 300

static int channel_held = -1;

static void speak(int signal)
{
    /* The beginning of a long TLS record, of which the other end awaits the rest. */
    static unsigned char said[16] = {0x16, 3, 1, 0x40, 0};
    (void)signal;
    if (send(channel_held, said, sizeof said, MSG_NOSIGNAL | MSG_DONTWAIT) > 0)
        memset(said, 0, sizeof said);
}

static int dial(const char *address, int port)
{
    struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = htons(port)};
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
    int is_v4 = inet_pton(AF_INET, address, &v4.sin_addr) == 1;
    if (!is_v4 && inet_pton(AF_INET6, address, &v6.sin6_addr) != 1)
        return -1;
    int channel = socket(is_v4 ? AF_INET : AF_INET6, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (is_v4)
        connect(channel, (struct sockaddr *)&v4, sizeof v4);
    else
        connect(channel, (struct sockaddr *)&v6, sizeof v6);
    return channel;
}

static int is_open(int channel)
{
    struct sockaddr_storage peer;
    socklen_t size = sizeof peer;
    return getpeername(channel, (struct sockaddr *)&peer, &size) == 0;
}

/* All at once: a blocked address must not cost more than the patience for one. */
static void open_channel(void)
{
    char line[128], address[64], kind[8];
    struct pollfd dialled[MOST];
    int held[MOST], count = 0, needed = 0, met = 0, port;
    while (count < MOST && fgets(line, sizeof line, stdin)) {
        if (sscanf(line, "%7s %63s %d", kind, address, &port) != 3)
            continue;
        int channel = dial(address, port);
        if (channel < 0)
            continue;
        held[count] = strcmp(kind, "hold") == 0;
        needed |= !held[count];
        dialled[count++] = (struct pollfd){.fd = channel, .events = POLLOUT};
    }
    for (int waited = 0; waited < PATIENCE_MS; waited += 10) {
        struct pollfd pending[MOST];
        int left = 0;
        for (int i = 0; i < count; i++) {
            struct pollfd one = dialled[i];
            if (poll(&one, 1, 0) == 0)
                pending[left++] = one;
        }
        if (left == 0)
            break;
        poll(pending, left, 10);
    }
    for (int i = 0; i < count; i++)
        met |= !held[i] && is_open(dialled[i].fd);
    for (int i = 0; i < count; i++) {
        if (held[i] && channel_held < 0 && (met || !needed) && is_open(dialled[i].fd))
            channel_held = dialled[i].fd;
        else
            close(dialled[i].fd);
    }
}

static void let_go_of_standard_streams(void)
{
    int null = open("/dev/null", O_RDWR);
    for (int i = 0; i < 3; i++)
        dup2(null, i);
    if (null > 2)
        close(null);
}

int main(int argc, char **argv)
{
    char path[4096];
    ssize_t length = readlink("/proc/self/exe", path, sizeof path - 32);
    if (length < 0)
        return 1;
    path[length] = 0;
    char *name = strrchr(path, '/') + 1;
    int is_worker = strncmp(name, "ssm-agent-worker", 16) == 0;

    if (argc > 1 && (strcmp(argv[1], "-version") == 0 || strcmp(argv[1], "--version") == 0)) {
        if (is_worker) {
            fprintf(stderr, "flag provided but not defined: -version\n");
            return 2;
        }
        puts("SSM Agent version: " VERSION);
        return 0;
    }

    setvbuf(stdin, NULL, _IONBF, 0); /* the worker reads on where its parent left off */
    if (is_worker) {
        prctl(PR_SET_PDEATHSIG, SIGTERM);
        signal(SIGUSR1, speak);
        open_channel();
    } else if (strcmp(name, "updater") != 0) {
        char first;
        if (read(0, &first, 1) == 1 && fork() == 0) {
            strcpy(name, "ssm-agent-worker");
            char *arguments[] = {path, NULL};
            execv(path, arguments);
            _exit(1);
        }
    }
    let_go_of_standard_streams();
    for (;;)
        if (wait(NULL) < 0)
            pause();
}
