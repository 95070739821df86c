// Feeds arbitrary bytes through the CSV and Azure trace readers: InputError is fine, anything else a crash.
#include <cstddef>
#include <cstdint>
#include <sstream>
#include <string>

#include "sim/base/errors.hpp"
#include "workloads/trace_reader.hpp"
#include "workloads/trace_source.hpp"
#include "workloads/workload.hpp"

namespace {

void play(const std::string& config, const std::string& bytes) {
  using namespace silicast;
  WorkloadContext context;
  context.class_names = {"a", "b"};
  const ConfigValue trace = ConfigValue::from_text(config, "fuzz.yaml");
  ConfigMap map = trace.map();
  const auto& format = map.required("format").entry_of(trace_formats());
  try {
    TraceSource source(format.make(map, std::make_unique<std::istringstream>(bytes), "fuzz.csv", context), "fuzz.csv");
    while (source.next_time()) source.take();
  } catch (const InputError&) {
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string bytes(reinterpret_cast<const char*>(data), size);
  play("{format: azure}", bytes);
  play("{format: csv, columns: {arrival: t, prompt: p, output: o, class: c}, units: {arrival: s}}", bytes);
  // Under a header of its own, so that most inputs reach the rows.
  play("{format: csv, columns: {arrival: t, prompt: p, output: o}, units: {arrival: us}}", "t,p,o\n" + bytes);
  play("{format: azure}", "TIMESTAMP,ContextTokens,GeneratedTokens\n" + bytes);
  play("{format: burstgpt, model: a}", "Timestamp,Model,Request tokens,Response tokens,Total tokens,Log Type\n" + bytes);
  return 0;
}
