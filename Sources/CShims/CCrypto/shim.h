// SHA-256 of OpenSSL's libcrypto, which uses the processor's instructions for it. Linked statically: that
// takes a few kilobytes, adds nothing to what a machine must have, and spares each start the loading of
// the whole library. The functions that need no providers are called deprecated, but have no successor
// that can be linked without all of it.
#define OPENSSL_SUPPRESS_DEPRECATED
#include <openssl/sha.h>
