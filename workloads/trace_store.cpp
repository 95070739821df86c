#include "workloads/trace_store.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "sim/base/errors.hpp"
#include "sim/io/hdf5_file.hpp"
#include "workloads/block_ids.hpp"
#include "workloads/limits.hpp"
#include "workloads/trace_columns.hpp"
#include "workloads/trace_formats.hpp"
#include "workloads/trace_further.hpp"
#include "workloads/trace_store_columns.hpp"
#include "workloads/workload.hpp"

namespace silicast {
namespace {

using namespace store;

[[noreturn]] void refuse(const Hdf5Reader& file, std::string_view object, std::string_view what) {
  throw InputError({file.path(), 0, 0}, object, what);
}

void check_store(const Hdf5Reader& file) {
  if (!file.has(kTrace) || file.text(kTrace, "format") != kFormat)
    refuse(file, "", "is no trace: 'silicast trace' did not write it");
  if (file.number(kTrace, "version") != kVersion)
    refuse(file, "",
           fmt::format("is a trace of version {:g}; this silicast reads version {:g}",
                       file.number(kTrace, "version").value_or(0), kVersion));
}

std::vector<std::string> names_of(const Hdf5Reader& file) {
  std::string text = file.text(kClass, "names").value_or("");
  std::vector<std::string> names;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(','), text.size());
    names.push_back(text.substr(0, end));
    text.erase(0, end + 1);
  }
  return names;
}

// The values of one column, one after the other, a chunk in memory at a time.
template <class T>
class Cursor {
 public:
  Cursor(const Hdf5Reader& file, const char* column) : file_(file), column_(column), rows_(file.rows(column)) {}

  std::int64_t rows() const { return rows_; }
  std::int64_t row() const { return row_ - 1; }  // of the value given last
  const char* column() const { return column_; }
  bool over() const { return row_ == rows_; }
  std::int64_t next_row() const { return row_; }
  T next() {
    const std::int64_t at = row_ % kHdf5ChunkRows;
    if (at == 0) {
      values_.resize(static_cast<std::size_t>(std::min(kHdf5ChunkRows, rows_ - row_)));
      file_.read_rows(column_, row_, std::span<T>(values_));
    }
    ++row_;
    return values_[static_cast<std::size_t>(at)];
  }
  [[noreturn]] void fail(std::string_view what) const {
    refuse(file_, column_, fmt::format("row {}: {}", row(), what));
  }

 private:
  const Hdf5Reader& file_;
  const char* column_;
  std::int64_t rows_;
  std::int64_t row_ = 0;
  std::vector<T> values_;
};

class StoreTrace final : public TraceReader {
 public:
  StoreTrace(const std::string& path, const std::vector<std::string>& class_names)
      : file_(checked(path)),
        arrival_(file_, kArrival),
        prompt_(file_, kPrompt),
        output_(file_, kOutput),
        class_(file_, kClass) {
    for (const Cursor<std::int64_t>* column : {&prompt_, &output_, &class_}) check_rows(*column);
    const double tokens = file_.number(kTrace, "block_tokens").value_or(-1);
    if (!(tokens >= 0 && tokens <= static_cast<double>(kMaxTokens)) || tokens != std::floor(tokens))
      refuse(file_, kTrace, fmt::format("block_tokens {:g} is not a whole number from 0", tokens));
    block_tokens_ = static_cast<std::int32_t>(tokens);
    if (block_tokens_ > 0) open_blocks();
    if (file_.has(kClients)) open_further(clients_, {kMaxOutput, kPatience, kLeaves, kAfterEnds});
    if (file_.has(kSessions)) open_further(turns_, {kSession, kParent, kThink});
    map_classes(class_names);
  }

  bool next(TraceRow& row) override {
    if (arrival_.over()) return false;
    row.stamp_ns = arrival_.next();
    if (row.stamp_ns < 0) arrival_.fail(fmt::format("{} is negative", row.stamp_ns));
    stamp_ = fmt::to_string(row.stamp_ns);
    row.stamp = stamp_;
    row.prompt_tokens = tokens(prompt_);
    row.output_tokens = tokens(output_);
    const std::int64_t request_class = class_.next();
    if (request_class < 0 || request_class >= static_cast<std::int64_t>(std::max<std::size_t>(classes_.size(), 1)))
      class_.fail(fmt::format("{} is the position of no class", request_class));
    row.request_class = classes_.empty() ? ClassId{0} : classes_[static_cast<std::size_t>(request_class)];
    if (!clients_.empty()) read_client(row);
    if (!turns_.empty()) read_turn(row);
    if (block_tokens_ > 0) read_blocks(row);
    return true;
  }
  Mark mark() const override { return {file_.path(), 0, 0}; }
  std::string_view arrival_name() const override { return kArrival; }
  std::int32_t block_tokens() const override { return block_tokens_; }
  std::string_view name_of(Further column) const override {
    return column == Further::kSession ? kSession : column == Further::kParent ? kParent : kSessions;
  }
  bool sessions() const override { return !turns_.empty(); }

 private:
  using Columns = std::vector<std::unique_ptr<Cursor<std::int64_t>>>;

  void open_further(Columns& columns, std::initializer_list<const char*> names) {
    for (const char* name : names) {
      columns.push_back(std::make_unique<Cursor<std::int64_t>>(file_, name));
      check_rows(*columns.back());
    }
  }
  void check_rows(const Cursor<std::int64_t>& column) const {
    if (column.rows() != arrival_.rows())
      refuse(file_, column.column(), fmt::format("{} rows where {} has {}", column.rows(), kArrival, arrival_.rows()));
  }
  static std::int64_t within(Cursor<std::int64_t>& column, std::int64_t low, std::int64_t high, const char* of = "") {
    const std::int64_t value = column.next();
    if (value < low || value > high) column.fail(fmt::format("{} must be from {} to {}{}", value, low, high, of));
    return value;
  }
  void read_client(TraceRow& row) {
    row.max_output_tokens = static_cast<std::int32_t>(within(*clients_[0], 0, kMaxTokens));
    if (const std::string mistake = mistake_in_limit(row); !mistake.empty()) clients_[0]->fail(mistake);
    row.patience_ns = within(*clients_[1], kNoPatience, kLastArrival.ns);
    row.leaves = within(*clients_[2], 0, 1) == 1;
    row.after_ends = within(*clients_[3], 0, kMaxRequests);
  }
  void read_turn(TraceRow& row) {
    row.id = fmt::to_string(turns_[0]->next_row());
    row.session = fmt::to_string(turns_[0]->next());
    const std::int64_t parent = within(*turns_[1], -1, kMaxRequests);
    row.parent = parent < 0 ? "" : fmt::to_string(parent);
    row.think_ns = within(*turns_[2], 0, kLastArrival.ns);
  }

  static const std::string& checked(const std::string& path) {
    check_store(Hdf5Reader(path));
    return path;
  }

  static std::int32_t tokens(Cursor<std::int64_t>& column) {
    return static_cast<std::int32_t>(within(column, 1, kMaxTokens, " tokens"));
  }

  void open_blocks() {
    offset_ = std::make_unique<Cursor<std::int64_t>>(file_, kOffset);
    id_ = std::make_unique<Cursor<std::uint64_t>>(file_, kId);
    if (offset_->rows() != arrival_.rows() + 1)
      refuse(file_, kOffset,
             fmt::format("{} rows where {} requests have {}", offset_->rows(), arrival_.rows(), arrival_.rows() + 1));
    if (offset_->next() != 0) offset_->fail("0 is due");
  }

  void read_blocks(TraceRow& row) {
    const std::int64_t end = offset_->next(), count = end - last_offset_;
    if (count < 0 || end > id_->rows() ||
        count > blocks_in(std::int64_t{row.prompt_tokens} + row.output_tokens, block_tokens_))
      offset_->fail(fmt::format("{} behind {} are no blocks of {} tokens of a prompt of {}", end, last_offset_,
                                block_tokens_, row.prompt_tokens));
    last_offset_ = end;
    row.blocks.clear();
    for (std::int64_t i = 0; i < count; ++i) row.blocks.push_back(id_->next());
    check_blocks(kId, row, block_tokens_, false, mark());
  }

  // By name. A scenario without classes of its own, which has the one class 'all', does not look at them.
  void map_classes(const std::vector<std::string>& class_names) {
    const std::vector<std::string> names = names_of(file_);
    const bool none = class_names.empty() || class_names == std::vector<std::string>{"all"};
    for (const std::string& name : names) {
      const auto found = std::find(class_names.begin(), class_names.end(), name);
      if (found == class_names.end() && !none)
        refuse(file_, kClass, fmt::format("unknown class '{}'{}", name, suggestion(name, class_names)));
      classes_.push_back(
          ClassId{found == class_names.end() ? 0 : static_cast<std::int32_t>(found - class_names.begin())});
    }
  }

  Hdf5Reader file_;
  Cursor<std::int64_t> arrival_, prompt_, output_, class_;
  std::int32_t block_tokens_ = 0;
  std::unique_ptr<Cursor<std::int64_t>> offset_;
  std::unique_ptr<Cursor<std::uint64_t>> id_;
  std::int64_t last_offset_ = 0;
  Columns clients_, turns_;       // by column, where they are there
  std::vector<ClassId> classes_;  // of the scenario, by the file's
  std::string stamp_;
};

}  // namespace

std::vector<std::string> trace_store_classes(const std::string& path) {
  const Hdf5Reader file(path);
  check_store(file);
  return names_of(file);
}

// HDF5 opens files by itself; the stream has shown that the file can be read.
std::unique_ptr<TraceReader> make_hdf5_trace(ConfigMap&, std::unique_ptr<std::istream>, const std::string& name,
                                             const WorkloadContext& context) {
  return std::make_unique<StoreTrace>(name, context.class_names);
}

}  // namespace silicast
