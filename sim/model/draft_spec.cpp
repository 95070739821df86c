#include "sim/model/draft_spec.hpp"

#include <fmt/format.h>

#include <charconv>

#include "sim/io/config_catalogue.hpp"

namespace silicast {
namespace {

constexpr std::int32_t kMostDrafts = 32;

std::int32_t drafts_of(const std::string& key, const ConfigValue& at) {
  std::int32_t tokens = 0;
  const auto [end, error] = std::from_chars(key.data(), key.data() + key.size(), tokens);
  if (error != std::errc() || end != key.data() + key.size() || tokens < 1 || tokens > kMostDrafts)
    at.fail(fmt::format("'{}' is no number of drafted tokens (1 to {})", key, kMostDrafts));
  return tokens;
}

}  // namespace

ModelSpec mtp_network(const ModelSpec& model) {
  ModelSpec network = model;
  network.layers = {model.layers.back()};
  return network;
}

DraftSpec read_draft_spec(const ConfigValue& draft) {
  ConfigMap map = draft.map();
  DraftSpec spec;
  spec.name = map.required("name").text();
  spec.target = map.required("target").text();
  if (const auto id = map.optional("huggingface_id")) spec.huggingface_id = id->text();
  const ConfigValue network = map.required("network");
  if (network.is_map()) {
    spec.network = read_model_spec(network);
  } else {
    network.choice({"mtp"}, "network");
    spec.mtp = true;
  }
  const ConfigValue accepted = map.required("accepted");
  ConfigMap by_tokens = accepted.map();
  for (const std::string& key : by_tokens.keys()) {
    const ConfigValue value = by_tokens.required(key);
    const std::int32_t tokens = drafts_of(key, value);
    spec.accepted[tokens] = value.evidence(Dimension::kNumber, Bounds{0, static_cast<double>(tokens)});
  }
  by_tokens.done();
  if (spec.accepted.empty()) accepted.fail("no acceptance is given");
  spec.spread = map.required("spread").evidence(Dimension::kNumber, Bounds{0, kMostDrafts});
  map.done();
  return spec;
}

Speculation read_speculation(const ConfigValue& value, const ModelSpec& model, const std::string& configs_dir) {
  ConfigMap map = value.map();
  Speculation speculation;
  const ConfigValue draft = map.required("draft");
  const ConfigValue tokens = map.required("tokens");
  speculation.tokens = static_cast<std::int32_t>(tokens.integer(1, kMostDrafts));
  std::optional<DraftSpec> spec;
  if (draft.is_scalar() && draft.text() == "mtp") {
    if (model.mtp_layers == 0) draft.fail(fmt::format("{} has no multi-token prediction layers", model.name));
    speculation.network = mtp_network(model);
    speculation.draft = "mtp";
  } else {
    spec = read_draft_spec(load_named(configs_dir, "drafts", draft));
    if (spec->target != model.name) draft.fail(fmt::format("drafts for {}, not for {}", spec->target, model.name));
    speculation.network = spec->mtp ? mtp_network(model) : spec->network;
    speculation.draft = draft.text();
    speculation.weights = spec->huggingface_id;
  }
  if (const auto accepted = map.optional("accepted")) {
    speculation.accepted = accepted->evidence(Dimension::kNumber, Bounds{0, static_cast<double>(speculation.tokens)});
  } else if (!spec) {
    value.fail("how many drafted tokens are accepted is not known; give 'accepted'");
  } else {
    const auto found = spec->accepted.find(speculation.tokens);
    if (found == spec->accepted.end()) {
      std::string known;
      for (const auto& [count, evidence] : spec->accepted)
        known += fmt::format("{}{}", known.empty() ? "" : ", ", count);
      tokens.fail(fmt::format("no acceptance of {} drafted tokens is known for {} (known: {}); give 'accepted'",
                              speculation.tokens, spec->name, known));
    }
    speculation.accepted = found->second;
    speculation.spread = spec->spread;
  }
  if (const auto spread = map.optional("spread"))
    speculation.spread = spread->evidence(Dimension::kNumber, Bounds{0, kMostDrafts});
  map.done();
  return speculation;
}

}  // namespace silicast
