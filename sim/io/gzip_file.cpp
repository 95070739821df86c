#include "sim/io/gzip_file.hpp"

#include <fmt/format.h>
#include <libdeflate.h>

#include <algorithm>
#include <iterator>
#include <sstream>

#include "sim/io/line_reader.hpp"

namespace silicast {
namespace {

constexpr std::size_t kMaxText = std::size_t{256} << 20;

}  // namespace

std::string unpack_gzip(const std::string& packed, const std::string& name) {
  const std::unique_ptr<libdeflate_decompressor, void (*)(libdeflate_decompressor*)> inflater(
      libdeflate_alloc_decompressor(), libdeflate_free_decompressor);
  std::string text;
  // Files may be several members, one after the other; each member's size is not known beforehand.
  for (std::size_t used = 0; used < packed.size();) {
    const std::size_t before = text.size();
    std::size_t room = std::max<std::size_t>(4 * (packed.size() - used), 1 << 16);
    std::size_t taken = 0, made = 0;
    libdeflate_result result = LIBDEFLATE_INSUFFICIENT_SPACE;
    while (result == LIBDEFLATE_INSUFFICIENT_SPACE && before + room <= kMaxText) {
      text.resize(before + room);
      result = libdeflate_gzip_decompress_ex(inflater.get(), packed.data() + used, packed.size() - used,
                                             text.data() + before, room, &taken, &made);
      room *= 4;
    }
    if (result == LIBDEFLATE_INSUFFICIENT_SPACE)
      throw InputError({name, 0, 0}, "", fmt::format("unpacks to over {} MiB", kMaxText >> 20));
    if (result != LIBDEFLATE_SUCCESS)
      throw InputError({name, 0, 0}, "", "is no gzip file, or a damaged one; test it by 'gzip -t'");
    text.resize(before + made);
    used += taken;
  }
  return text;
}

std::unique_ptr<std::istream> open_packed_file(const std::string& path, const Mark& mark, std::string_view key) {
  std::unique_ptr<std::istream> file = open_text_file(path, mark, key);
  if (!path.ends_with(".gz")) return file;
  const std::string packed((std::istreambuf_iterator<char>(*file)), std::istreambuf_iterator<char>());
  return std::make_unique<std::istringstream>(unpack_gzip(packed, path));
}

}  // namespace silicast
