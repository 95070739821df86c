#include "sim/run/version.hpp"

#ifndef SILICAST_VERSION
#define SILICAST_VERSION "unknown"
#endif
#ifndef SILICAST_GIT_HASH
#define SILICAST_GIT_HASH "unknown"
#endif

namespace silicast {

std::string_view version() {
  return SILICAST_VERSION;
}
std::string_view git_hash() {
  return SILICAST_GIT_HASH;
}

}  // namespace silicast
