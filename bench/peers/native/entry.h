// How a connection comes to be: opened, upgraded to a WebSocket if its protocol wants that, greeted. Waits for each answer.

#ifndef ENTRY_H
#define ENTRY_H

#include "receiver.h"

// Returns the socket of a connection that is ready for events. What came after the last answer is given to the receiver.
int enter(const char *room, bool listens, bool stalled, struct receiver *receiver);

#endif
