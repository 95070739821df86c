// Writes the trace store, row by row.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "sim/io/hdf5_file.hpp"
#include "workloads/trace_store_columns.hpp"
#include "workloads/trace_writer.hpp"

namespace silicast {
namespace {

using namespace store;

class StoreWriter final : public TraceWriter {
 public:
  StoreWriter(const std::string& path, const TraceShape& shape)
      : file_(path), block_tokens_(shape.block_tokens), has_classes_(!shape.class_names.empty()) {
    file_.set_text(kTrace, "format", kFormat);
    file_.set_number(kTrace, "version", kVersion);
    file_.set_integer(kTrace, "block_tokens", block_tokens_);
    arrival_ = &file_.add_column<std::int64_t>(kArrival, "ns", "arrival, from the start of the trace; never falling");
    prompt_ = &file_.add_column<std::int32_t>(kPrompt, "token", "prompt");
    output_ = &file_.add_column<std::int32_t>(kOutput, "token", "output, its true length");
    class_ = &file_.add_column<std::int32_t>(kClass, "", "class, position in the attribute names");
    file_.set_text(kClass, "names", fmt::format("{}", fmt::join(shape.class_names, ",")));
    if (shape.clients) add_clients();
    if (shape.sessions) add_sessions();
    if (block_tokens_ > 0) {
      offset_ = &file_.add_column<std::int64_t>(
          kOffset, "row", "ids of request i are rows offset[i] to offset[i + 1] (excluded) of id");
      id_ = &file_.add_column<std::uint64_t>(
          kId, "",
          "KV blocks of prompts, some with answers: equal id, equal block behind equal ones; the last may be partial");
    }
    file_.start_rows();
    if (offset_ != nullptr) offset_->append(std::int64_t{0});
  }
  // A trace that was cut off is none.
  ~StoreWriter() override {
    if (!finished_) file_.abandon();
  }

  void add(const RequestSpec& request, std::span<const std::uint64_t> blocks, const TraceFurther& further) override {
    arrival_->append(request.arrival.ns);
    prompt_->append(request.prompt_tokens);
    output_->append(request.output_tokens);
    class_->append(has_classes_ ? request.request_class.value : 0);
    ++requests_;
    if (max_output_ != nullptr) {
      const bool goes = request.deadline != SimTime::never();
      max_output_->append(request.max_output_tokens);
      patience_->append(goes ? request.deadline.ns - request.arrival.ns : kNoPatience);
      leaves_->append(std::int32_t{request.deadline_is_abort});
      after_ends_->append(further.after_ends);
    }
    if (session_ != nullptr) {
      session_->append(further.turn.session);
      parent_->append(further.turn.parent);
      think_->append(further.turn.think_ns);
    }
    if (offset_ == nullptr) return;
    for (const std::uint64_t id : blocks) id_->append(id);
    ids_ += static_cast<std::int64_t>(blocks.size());
    offset_->append(ids_);
  }

  void finish() override {
    file_.end_rows();
    file_.set_integer(kTrace, "requests", requests_);
    file_.finish();
    finished_ = true;
  }
  std::string mapping() const override {
    return fmt::format("{{format: hdf5, file: {}}}", quoted_scalar(file_.path()));
  }

 private:
  void add_clients() {
    max_output_ = &file_.add_column<std::int32_t>(kMaxOutput, "token", "output that the client declared; 0: nothing");
    patience_ = &file_.add_column<std::int64_t>(kPatience, "ns", "from its arrival to when the client goes; -1: never");
    leaves_ = &file_.add_column<std::int32_t>(kLeaves, "", "1: it goes of its own accord, rather than by a timeout");
    after_ends_ = &file_.add_column<std::int64_t>(
        kAfterEnds, "request", "that had ended when it was asked, where one did at that very instant; else 0");
  }
  void add_sessions() {
    session_ = &file_.add_column<std::int64_t>(kSession, "", "equal within a session");
    parent_ = &file_.add_column<std::int64_t>(kParent, "row", "request whose answer it waits for; -1: none");
    think_ = &file_.add_column<std::int64_t>(kThink, "ns", "from that answer to when it is asked");
  }

  Hdf5Writer file_;
  std::int32_t block_tokens_;
  bool has_classes_;
  Hdf5Writer::Column *arrival_, *prompt_, *output_, *class_, *offset_ = nullptr, *id_ = nullptr;
  Hdf5Writer::Column *max_output_ = nullptr, *patience_ = nullptr, *leaves_ = nullptr, *after_ends_ = nullptr;
  Hdf5Writer::Column *session_ = nullptr, *parent_ = nullptr, *think_ = nullptr;
  std::int64_t requests_ = 0;
  std::int64_t ids_ = 0;
  bool finished_ = false;
};

}  // namespace

std::unique_ptr<TraceWriter> make_hdf5_writer(const std::string& path, const TraceShape& shape) {
  return std::make_unique<StoreWriter>(path, shape);
}

}  // namespace silicast
