/* A program that says so when it is asked for its version as the agent is, and else waits. */
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

int main(int count, char **arguments)
{
    (void)arguments;
    if (count == 1) {
        for (;;)
            pause();
    }
    close(creat("/run/executed", 0644));
    puts("3.3.1611.0");
    return 0;
}
