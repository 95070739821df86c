// Speculative decoding as data: a small network drafts tokens that the model verifies in one pass.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "sim/base/evidence.hpp"
#include "sim/io/config_reader.hpp"
#include "sim/model/model_spec.hpp"

namespace silicast {

struct DraftSpec {
  std::string name;
  std::string target;          // the model it drafts for
  std::string huggingface_id;  // of its weights; empty: not known, or the model's own layers
  bool mtp = false;            // the model's own multi-token prediction layers; otherwise `network`
  ModelSpec network;           // what runs once per drafted token
  // Mean number of drafted tokens that are kept per iteration, by drafted tokens; the token that the model itself adds
  // is not counted.
  std::map<std::int32_t, Evidence> accepted;
  Evidence spread;  // standard deviation of that mean between sequences
};

// A scenario's choice.
struct Speculation {
  std::string draft;    // "mtp" or the name of a draft
  std::string weights;  // the draft's repository, empty where it has or names none
  ModelSpec network;
  std::int32_t tokens = 0;  // drafted per sequence and iteration; 0: no speculation
  Evidence accepted;        // mean, of those
  Evidence spread;
};

// A catalogue file (configs/drafts/NAME.yaml). Schema:
//   name, target: text
//   huggingface_id: text                         # optional
//   network: mtp, or the keys of a model's catalogue file
//   accepted: {1: EVIDENCE, 2: EVIDENCE, ...}    # 0 to the number of drafted tokens
//   spread: EVIDENCE
// Errors: InputError at the key.
DraftSpec read_draft_spec(const ConfigValue& draft);

// speculation: {draft: NAME, tokens: 3} with a file of configs_dir/drafts or {draft: mtp, tokens: 1, accepted: 0.7};
// with `accepted` and `spread` (0) given, no table is needed. Errors (InputError): a draft for another model, MTP of a
// model without such layers, a number of tokens without a known acceptance, more accepted than drafted.
Speculation read_speculation(const ConfigValue& speculation, const ModelSpec& model, const std::string& configs_dir);

// The layer that predicts one token more: like the model's last, with its LM head, no embedding of its own.
ModelSpec mtp_network(const ModelSpec& model);

}  // namespace silicast
