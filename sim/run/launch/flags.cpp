#include "sim/run/launch/flags.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>

#include "sim/io/line_reader.hpp"
#include "sim/io/quantity_text.hpp"

namespace silicast {
namespace {

std::vector<std::string_view> split(std::string_view names) {
  std::vector<std::string_view> result;
  while (!names.empty()) {
    const std::size_t blank = std::min(names.find(' '), names.size());
    result.push_back(names.substr(0, blank));
    names.remove_prefix(std::min(blank + 1, names.size()));
  }
  return result;
}

const FlagSpec* find_spec(std::span<const FlagSpec> table, std::string_view name) {
  for (const FlagSpec& spec : table)
    for (const std::string_view known : split(spec.names))
      if (known == name) return &spec;
  return nullptr;
}

// "-1" is a value; "-tp" and "--tp" are flags.
bool is_flag(const std::string& word) {
  double number = 0;
  return word.size() > 1 && word[0] == '-' && !parse_number(word, number);
}

}  // namespace

std::string misspelt(const std::string& word, const std::vector<std::string>& known) {
  constexpr std::size_t kLetters = 2;
  for (const std::string& name : known) {
    const std::size_t most = std::max(word.size(), name.size()), least = std::min(word.size(), name.size());
    std::size_t head = 0, tail = 0;
    while (head < least && word[head] == name[head]) ++head;
    while (tail < least - head && word[word.size() - 1 - tail] == name[name.size() - 1 - tail]) ++tail;
    if (most > 3 * kLetters && most - head - tail <= kLetters) return name;
  }
  return "";
}

std::string place_of(const Mark& mark) {
  return mark.line > 0 ? fmt::format("{}:{}", mark.file, mark.line) : mark.file;
}

Flags::Flags(std::span<const FlagSpec> table, std::span<const ShellWord> words) {
  std::vector<std::string> long_names;
  for (const FlagSpec& spec : table)
    for (const std::string_view name : split(spec.names))
      if (name.starts_with("--")) long_names.emplace_back(name);
  for (std::size_t i = 0; i < words.size(); ++i) {
    const ShellWord& word = words[i];
    if (!is_flag(word.text)) {
      positional_.push_back(word);
      continue;
    }
    const std::size_t equals = word.text.find('=');
    std::string name = word.text.substr(0, equals);
    if (name.starts_with("--")) std::replace(name.begin(), name.end(), '_', '-');
    Flag flag{find_spec(table, name), "", true, word.mark};
    if (flag.spec == nullptr && name.starts_with("--no-")) {
      const FlagSpec* positive = find_spec(table, "--" + name.substr(5));
      if (positive != nullptr && positive->takes == Takes::kNothing) {
        flag.spec = positive;
        flag.on = false;
      }
    }
    if (flag.spec == nullptr) {
      // --speculative-config.method mtp
      const FlagSpec* whole = find_spec(table, name.substr(0, name.find('.')));
      if (whole != nullptr && whole->unmodelled.empty())
        throw InputError(word.mark, name, fmt::format("give all of {} as one JSON text", whole->name()));
      if (const std::string near = misspelt(name, long_names); !near.empty())
        throw InputError(word.mark, name, fmt::format("unknown flag; did you mean '{}'?", near));
      std::string value;
      if (equals == std::string::npos && i + 1 < words.size() && !is_flag(words[i + 1].text)) value = words[++i].text;
      unmodelled_.push_back(fmt::format("{}{}{} ({}): silicast does not know this flag", word.text,
                                        value.empty() ? "" : " ", value.empty() ? "" : shell_word(value),
                                        place_of(word.mark)));
      continue;
    }
    const std::string called = flag.spec->name();
    if (flag.spec->takes == Takes::kNothing) {
      if (equals != std::string::npos)
        throw InputError(word.mark, called, fmt::format("takes no value, '{}' is given", word.text.substr(equals + 1)));
    } else if (equals != std::string::npos) {
      flag.value = word.text.substr(equals + 1);
      flag.mark.column += static_cast<int>(equals) + 1;
    } else {
      if (i + 1 >= words.size() || is_flag(words[i + 1].text)) throw InputError(word.mark, called, "needs a value");
      flag.mark = words[i + 1].mark;
      flag.value = words[++i].text;
      if (flag.spec->takes == Takes::kValues)
        while (i + 1 < words.size() && !is_flag(words[i + 1].text)) flag.value += " " + words[++i].text;
    }
    if (flag.value.empty() && flag.spec->takes != Takes::kNothing)
      throw InputError(flag.mark, called, "needs a value, not empty text");
    take(flag);
  }
}

void Flags::take(const Flag& flag) {
  if (const Flag* first = find(flag.spec->name())) {
    if (first->value == flag.value && first->on == flag.on) return;
    const auto shown = [&](const Flag& one) {
      return one.spec->takes == Takes::kNothing ? std::string(one.on ? "on" : "off") : quoted_text(one.value);
    };
    throw InputError(
        flag.mark, flag.spec->name(),
        fmt::format("is {} here and {} at line {}; leave one out", shown(flag), shown(*first), first->mark.line));
  }
  flags_.push_back(flag);
  if (flag.spec->unmodelled.empty()) return;
  const std::string name = flag.on ? flag.spec->name() : "--no-" + flag.spec->name().substr(2);
  unmodelled_.push_back(fmt::format("{}{} ({}): {}", name,
                                    flag.value.empty() ? "" : fmt::format(" {}", shell_word(flag.value)),
                                    place_of(flag.mark), flag.spec->unmodelled));
}

const Flag* Flags::find(std::string_view name) const {
  for (const Flag& flag : flags_)
    if (flag.spec->name() == name) return &flag;
  return nullptr;
}

std::optional<Said<std::string>> Flags::text(std::string_view name) const {
  const Flag* flag = find(name);
  if (flag == nullptr) return std::nullopt;
  return Said<std::string>{flag->value, flag->mark, flag->spec->name()};
}

std::optional<Said<std::int64_t>> Flags::integer(std::string_view name, std::int64_t low, std::int64_t high) const {
  const auto said = text(name);
  if (!said) return std::nullopt;
  std::int64_t value = 0;
  const char* end = said->value.data() + said->value.size();
  const auto [stop, error] = std::from_chars(said->value.data(), end, value);
  if (stop != end || (error != std::errc() && error != std::errc::result_out_of_range))
    said->fail(fmt::format("{} is not a whole number", quoted_text(said->value)));
  if (error != std::errc() || value < low || value > high)
    said->fail(fmt::format("'{}' must be a whole number from {} to {}", said->value, low, high));
  return Said<std::int64_t>{value, said->mark, said->by};
}

std::optional<Said<double>> Flags::number(std::string_view name, double low, double high) const {
  const auto said = text(name);
  if (!said) return std::nullopt;
  double value = 0;
  if (!parse_number(said->value, value)) said->fail(fmt::format("{} is not a number", quoted_text(said->value)));
  if (!(value > low && value <= high))
    said->fail(fmt::format("'{}' must be over {:g} and at most {:g}", said->value, low, high));
  return Said<double>{value, said->mark, said->by};
}

std::optional<Said<std::string>> Flags::choice(std::string_view name, const std::vector<std::string>& values) const {
  const auto said = text(name);
  if (said && std::find(values.begin(), values.end(), said->value) == values.end())
    said->fail(fmt::format("{} is not one of its values{}", quoted_text(said->value), suggestion(said->value, values)));
  return said;
}

std::optional<Said<bool>> Flags::on(std::string_view name) const {
  const Flag* flag = find(name);
  if (flag == nullptr) return std::nullopt;
  return Said<bool>{flag->on, flag->mark, flag->spec->name()};
}

}  // namespace silicast
