#include "sim/run/launch/launched_scenario.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <filesystem>

#include "sim/io/config_catalogue.hpp"
#include "sim/run/launch/formats.hpp"
#include "sim/run/launch/launched_defaults.hpp"
#include "sim/run/launch/model_ids.hpp"

namespace silicast {
namespace {

ConfigValue named(const std::string& name, const std::string& option) {
  ConfigNode node;
  node.kind = ConfigNode::Kind::kScalar;
  node.scalar = name;
  node.mark.file = fmt::format("{} {}", option, name);
  return ConfigValue::of(std::move(node));
}

class Builder {
 public:
  Builder(const LaunchedPool& launched, const std::optional<ConfigValue>& unsaid, const std::string& source,
          const LaunchReading& reading)
      : said_(launched), reading_(reading), source_(source), notes_(launched.notes) {
    if (unsaid) unsaid_.emplace(unsaid->map());
  }

  std::string build() {
    find_node();
    find_model();
    find_engine();
    add_layout();
    if (const auto precision = find_precision()) put(pool_, "precision", *precision);
    add_engine();
    add_speculation();
    if (unsaid_) unsaid_->done();
    return finish();
  }

 private:
  std::optional<ConfigValue> unsaid(std::string_view key) { return unsaid_ ? unsaid_->optional(key) : std::nullopt; }

  template <class Value>
  void keep(const std::string& path, const Said<Value>& said) {
    origins_.emplace_back(path, said.by);
  }
  void keep_pool(const std::string& path, const Said<std::int64_t>& said) { keep("cluster.pools[0]." + path, said); }

  void find_node() {
    const auto own = unsaid("node");
    if (reading_.node.empty() && !own)
      throw InputError(said_.mark, "",
                       fmt::format("a launch does not say what it runs on; give --node NODE{}",
                                   suggestion("", config_names(reading_.configs_dir + "/nodes"))));
    const ConfigValue name = reading_.node.empty() ? *own : named(reading_.node, "--node");
    moved_ = own && own->text() != name.text();
    const ConfigValue node = load_named(reading_.configs_dir, "nodes", name);
    node_ = read_node(node);
    check_dies(node_, reading_.configs_dir, name.mark());
    chip_ = read_chip(load_named(reading_.configs_dir, "chips", node.map().required("chip")));
    const auto pool_name = unsaid("name");
    put(pool_, "name", pool_name ? pool_name->node() : scalar("main"));
    put(pool_, "node", name.node());
  }

  void find_model() {
    if (!reading_.model.empty()) {
      model_name_ = named(reading_.model, "--model").node();
    } else {
      if (!said_.model) throw InputError(said_.mark, "", "no model is named; give --model NAME");
      model_name_ = scalar(model_of(*said_.model, reading_.configs_dir));
      model_name_.mark = said_.model->mark;
    }
    model_ = read_model(ConfigValue::of(model_name_), reading_.configs_dir);
  }

  void find_engine() {
    const auto own = unsaid("engine");
    const ConfigValue name = own && !moved_ ? *own : ConfigValue::of(scalar(usual_engine(said_, chip_)));
    engine_name_ = name.text();
    engine_ = read_engine(name, reading_.configs_dir);
    if (engine_.family != said_.family)
      name.fail(fmt::format("engine '{}' is not of the family {}", engine_name_, said_.family));
  }

  void add_layout() {
    std::int64_t copies = said_.copies, ranks = 1;
    ConfigNode layout;
    const std::optional<Said<std::int64_t>>& main = said_.tensor     ? said_.tensor
                                                    : said_.pipeline ? said_.pipeline
                                                                     : said_.data;
    layout.mark = main ? main->mark : said_.mark;
    const auto add = [&](const char* key, const std::optional<Said<std::int64_t>>& value, std::int64_t none) {
      if (!value || value->value == none) return;
      put(layout, key, fmt::format("{}", value->value), value->mark);
      keep_pool(fmt::format("layout.{}", key), *value);
    };
    add("tensor", said_.tensor, 1);
    add("pipeline", said_.pipeline, 1);
    add("context", said_.context, 1);
    for (const auto* value : {&said_.tensor, &said_.context})
      if (*value) ranks *= (*value)->value;
    if (said_.data && said_.data->value > 1 && !model_.mixture()) {
      // vLLM runs a dense model's data-parallel ranks side by side, each with all weights.
      copies *= said_.data->value;
      notes_.push_back(fmt::format("{} {}: {} has no experts to share, so these are copies of it", said_.data->by,
                                   said_.data->value, model_.name));
    } else if (said_.data) {
      add("data", said_.data, 1);
      ranks *= said_.data->value;
    }
    std::optional<Said<std::int64_t>> expert = said_.expert;
    if (said_.expert_parallel && said_.expert_parallel->value) {
      if (!model_.mixture()) said_.expert_parallel->fail(fmt::format("{} has no experts; leave it out", model_.name));
      expert = Said<std::int64_t>{ranks, said_.expert_parallel->mark, said_.expert_parallel->by};
    }
    add("expert", expert, 1);
    add("redundant_experts", said_.redundant_experts, 0);
    const std::int64_t stages = said_.pipeline ? said_.pipeline->value : 1;
    add_stage_layers(layout);
    if (main) keep_pool("layout", *main);
    if (!layout.entries.empty()) put(pool_, "layout", layout);
    add_copies(copies, ranks * stages);
  }

  void add_stage_layers(ConfigNode& layout) {
    std::string text;
    Mark mark;
    if (said_.stage_layers) {
      text = said_.stage_layers->value;
      mark = said_.stage_layers->mark;
      origins_.emplace_back("cluster.pools[0].layout.stage_layers", said_.stage_layers->by);
    } else if (const auto own = unsaid("stage_layers")) {
      text = own->text();
      mark = own->mark();
    }
    if (text.empty()) return;
    ConfigNode layers;
    layers.kind = ConfigNode::Kind::kList;
    layers.mark = mark;
    for (std::size_t start = 0; start <= text.size();) {
      const std::size_t comma = std::min(text.find(',', start), text.size());
      layers.items.push_back(scalar(text.substr(start, comma - start)));
      layers.items.back().mark = mark;
      start = comma + 1;
    }
    put(layout, "stage_layers", layers);
  }

  void add_copies(std::int64_t copies, std::int64_t chips) {
    // A launch that was printed has one copy in each server; whoever asks for more since has them in all.
    const std::int64_t in_each = std::max<std::int64_t>(1, copies / std::max<std::int64_t>(1, said_.copies));
    const auto servers = unsaid("replicas"), nodes = unsaid("nodes");
    if (servers) copies = servers->integer(1, 1 << 24) * in_each;
    const std::int64_t per_node = std::max<std::int64_t>(1, node_.chips / chips);
    const std::int64_t needed =
        chips <= node_.chips ? (copies + per_node - 1) / per_node : copies * ((chips + node_.chips - 1) / node_.chips);
    put(pool_, "nodes", nodes && !moved_ && in_each == 1 ? nodes->node() : scalar(fmt::format("{}", needed)));
    put(pool_, "replicas", servers && in_each == 1 ? servers->node() : scalar(fmt::format("{}", copies)));
  }

  std::optional<ConfigNode> find_precision() {
    const auto own = unsaid("precision");
    if (own && !moved_) return own->node();
    LaunchFormats formats;
    if (said_.dtype) formats.dtype = said_.dtype->value;
    if (said_.kv) formats.kv = said_.kv->value;
    if (said_.quantisation) formats.quantisation = said_.quantisation->value;
    const bool given = std::ranges::any_of(
        reading_.settings, [](const std::string& setting) { return setting.starts_with("cluster.pools.0.precision"); });
    const bool published = model_.weight_format != model_.native_format || model_.expert_format != model_.native_format;
    if (published && !formats.quantisation.empty() && formats.quantisation != "checkpoint" &&
        formats.quantisation != name_of(model_.weight_format))
      said_.quantisation->fail(
          fmt::format("{} is published with weights in {}{}; leave it out, or name another model by --model",
                      model_.name, name_of(model_.weight_format),
                      model_.mixture() ? fmt::format(" and experts in {}", name_of(model_.expert_format)) : ""));
    if (formats.quantisation == "checkpoint" && !published && !given)
      said_.quantisation->fail(fmt::format(
          "the checkpoint says its formats, and {} is published in {}; give them by --set "
          "'cluster.pools.0.precision={{weights: int8, activations: int8}}' or name a quantised model by --model",
          model_.name, name_of(model_.native_format)));
    return precision_node(formats, model_);
  }

  void add_engine() {
    ConfigNode engine;
    const EngineLimits own = engine_.limits();
    const auto add = [&](const char* key, const std::optional<Said<std::int64_t>>& value, std::int64_t usual) {
      if (!value) return;
      keep_pool(fmt::format("engine.{}", key), *value);
      if (value->value != usual) put(engine, key, fmt::format("{}", value->value), value->mark);
    };
    add("max_sequences", sequences(own), own.max_sequences);
    add("max_batched_tokens", said_.max_batched_tokens, own.max_batched_tokens);
    add("block_size", said_.block_size, own.block_size);
    add("max_chunk", said_.max_chunk, own.max_chunk);
    add("max_waiting", said_.max_waiting, own.max_waiting);
    if (said_.prefix_cache && said_.prefix_cache->value != engine_.prefix_cache)
      put(engine, "prefix_cache", said_.prefix_cache->value ? "true" : "false", said_.prefix_cache->mark);
    if (said_.utilisation && said_.utilisation->value != engine_.memory.utilisation.value) {
      ConfigNode memory;
      put(memory, "utilisation", fmt::format("{}", said_.utilisation->value), said_.utilisation->mark);
      put(engine, "memory", memory);
    }
    ConfigNode parallel;
    if (said_.exchange && said_.exchange->value != name_of(engine_.parallel.exchange))
      put(parallel, "exchange", said_.exchange->value, said_.exchange->mark);
    if (said_.two_batches && said_.two_batches->value != engine_.parallel.two_batches)
      put(parallel, "two_batches", said_.two_batches->value ? "true" : "false", said_.two_batches->mark);
    if (!parallel.entries.empty()) put(engine, "parallel", parallel);
    if (engine.entries.empty()) {
      put(pool_, "engine", engine_name_);
    } else {
      ConfigNode whole;
      put(whole, "base", engine_name_);
      for (ConfigEntry& entry : engine.entries) put(whole, entry.key, std::move(entry.value));
      put(pool_, "engine", whole);
    }
    if (!said_.scheduler.empty() && said_.scheduler != engine_.scheduler) put(pool_, "scheduler", said_.scheduler);
    add_kv_blocks(said_.block_size ? said_.block_size->value : own.block_size);
  }

  // As many as an iteration has tokens for; engines have this bound for other reasons too.
  std::optional<Said<std::int64_t>> sequences(const EngineLimits& own) {
    const std::int64_t tokens = said_.max_batched_tokens ? said_.max_batched_tokens->value : own.max_batched_tokens;
    const std::int64_t given = said_.max_sequences ? said_.max_sequences->value : own.max_sequences;
    const std::int64_t most = tokens / (1 + (said_.drafts ? said_.drafts->value : 0));
    if (given <= most || most < 1) return said_.max_sequences;
    if (said_.max_sequences && said_.family == "vllm" && given > tokens)
      said_.max_sequences->fail(
          fmt::format("{} sequences are more than the {} tokens of an iteration, which vLLM refuses; "
                      "raise --max-num-batched-tokens",
                      given, tokens));
    notes_.push_back(
        fmt::format("at most {} sequences run at once, not {}: each computes {} of the {} tokens of an iteration", most,
                    given, said_.drafts ? fmt::format("{}", 1 + said_.drafts->value) : "one", tokens));
    return Said<std::int64_t>{most, said_.max_batched_tokens ? said_.max_batched_tokens->mark : said_.mark,
                              said_.max_batched_tokens ? said_.max_batched_tokens->by : "max_sequences"};
  }

  void add_kv_blocks(std::int64_t block_size) {
    if (said_.kv_blocks) {
      put(pool_, "kv_blocks", fmt::format("{}", said_.kv_blocks->value), said_.kv_blocks->mark);
      keep_pool("kv_blocks", *said_.kv_blocks);
    } else if (said_.kv_tokens) {
      if (said_.kv_tokens->value < block_size)
        said_.kv_tokens->fail(fmt::format("{} tokens are less than a block of {}", said_.kv_tokens->value, block_size));
      put(pool_, "kv_blocks", fmt::format("{}", said_.kv_tokens->value / block_size), said_.kv_tokens->mark);
      keep_pool("kv_blocks", *said_.kv_tokens);
    } else if (const auto own = unsaid("kv_blocks")) {
      put(pool_, "kv_blocks", own->node());
    }
  }

  void add_speculation() {
    const auto own = unsaid("speculation");
    std::optional<ConfigMap> map;
    if (own) map.emplace(own->map());
    const auto draft = map ? map->optional("draft") : std::nullopt;
    const auto accepted = map ? map->optional("accepted") : std::nullopt;
    const auto spread = map ? map->optional("spread") : std::nullopt;
    if (map) map->done();
    if (!said_.drafts) return;
    ConfigNode node;
    node.mark = said_.drafts->mark;
    if (draft)
      put(node, "draft", draft->node());
    else if (said_.draft && said_.draft->value != "mtp")
      put(node, "draft", draft_of(*said_.draft, reading_.configs_dir), said_.draft->mark);
    else
      put(node, "draft", "mtp", said_.draft ? said_.draft->mark : said_.drafts->mark);
    put(node, "tokens", fmt::format("{}", said_.drafts->value), said_.drafts->mark);
    const bool given = std::ranges::any_of(reading_.settings, [](const std::string& setting) {
      return setting.starts_with("cluster.pools.0.speculation");
    });
    if (!accepted && !given && node.at({"draft"})->scalar == "mtp")
      said_.drafts->fail(
          "no launch says how many drafted tokens are accepted; give it by --set "
          "cluster.pools.0.speculation.accepted=1.2");
    if (accepted) put(node, "accepted", accepted->node());
    if (spread) put(node, "spread", spread->node());
    put(pool_, "speculation", node);
    keep_pool("speculation.tokens", *said_.drafts);
    keep_pool("speculation", *said_.drafts);
    if (said_.draft) keep("cluster.pools[0].speculation.draft", *said_.draft);
  }

  static ConfigNode scalar(std::string text) {
    ConfigNode node;
    node.kind = ConfigNode::Kind::kScalar;
    node.scalar = std::move(text);
    return node;
  }

  ConfigNode tree() const {
    ConfigNode root;
    const std::string stem = std::filesystem::path(source_).stem().string();
    put(root, "name", stem.empty() || stem == "-" ? std::string("launch") : stem);
    put(root, "model", model_name_);
    std::int64_t context = model_.max_context;
    if (said_.max_context) {
      context = said_.max_context->value;
      if (context != model_.max_context) put(root, "max_context", fmt::format("{}", context), said_.max_context->mark);
    }
    put(root, "workload", usual_workload(context, std::stoll(pool_.at({"replicas"})->scalar)));
    ConfigNode pools, cluster;
    pools.kind = ConfigNode::Kind::kList;
    pools.items.push_back(pool_);
    pools.items[0].mark = said_.mark;
    put(cluster, "pools", pools);
    put(root, "cluster", cluster);
    return root;
  }

  // The flag instead of the key that was made of it.
  [[noreturn]] void rethrow(const InputError& error) const {
    const std::string what = error.what();
    for (const auto& [path, by] : origins_) {
      const std::string key = fmt::format(" {}: ", path);
      if (const std::size_t at = what.find(key); at != std::string::npos)
        throw InputError(what.substr(0, at) + fmt::format(" {}: ", by) + what.substr(at + key.size()));
    }
    throw InputError(what);
  }

  Scenario read(const ConfigNode& root) const {
    try {
      return read_scenario(root, source_, {reading_.configs_dir, reading_.settings}, Fit::kReported);
    } catch (const InputError& error) {
      rethrow(error);
    }
  }

  std::string finish() {
    if (said_.max_context) keep("max_context", *said_.max_context);
    Scenario scenario = read(tree());
    const PoolScenario& pool = scenario.pools[0];
    if (said_.kv_bytes) {
      Bytes block(0);
      for (const StageMemory& stage : pool.memory.stages) block = std::max(block, stage.kv_block);
      const auto blocks = static_cast<std::int64_t>(std::floor(said_.kv_bytes->value / block.value()));
      if (blocks < 1)
        said_.kv_bytes->fail(
            fmt::format("is less than a KV block of {}", format_quantity(block.value(), Dimension::kBytes)));
      // MindIE says whole GiB; the comment may say how many blocks were meant.
      const double meant = static_cast<double>(pool.kv_blocks) * block.value();
      if (pool.kv_blocks_given && meant <= said_.kv_bytes->value && meant > said_.kv_bytes->value - (1 << 30))
        return heading(said_, notes_, scenario, source_) + scenario.resolved;
      put(pool_, "kv_blocks", fmt::format("{}", blocks), said_.kv_bytes->mark);
      keep("cluster.pools[0].kv_blocks", *said_.kv_bytes);
      scenario = read(tree());
    }
    return heading(said_, notes_, scenario, source_) + scenario.resolved;
  }

  const LaunchedPool& said_;
  const LaunchReading& reading_;
  const std::string& source_;
  std::vector<std::string> notes_;
  std::optional<ConfigMap> unsaid_;
  bool moved_ = false;  // --node names another node than the comment does
  NodeSpec node_;
  ChipSpec chip_;
  ModelSpec model_;
  ConfigNode model_name_;
  std::string engine_name_;
  EngineSpec engine_;
  ConfigNode pool_;
  std::vector<std::pair<std::string, std::string>> origins_;  // key path and the flag that it was made of
};

}  // namespace

std::string launched_scenario(const LaunchedPool& pool, const std::optional<ConfigValue>& unsaid,
                              const std::string& source, const LaunchReading& reading) {
  return Builder(pool, unsaid, source, reading).build();
}

}  // namespace silicast
