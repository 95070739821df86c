// The trace store and the other formats that traces are written in: what is read is what was written.
#include "workloads/trace_store.hpp"

#include <catch2/catch.hpp>
#include <fstream>
#include <iterator>
#include <map>

#include "sim/base/random.hpp"
#include "sim/io/hdf5_file.hpp"
#include "trace_test_support.hpp"
#include "workloads/trace_writer.hpp"

namespace silicast {
namespace {

struct Row {
  std::int64_t arrival_ns;
  std::int32_t prompt, output, request_class;
  Ids blocks;
};

std::vector<Row> rows(std::size_t count, std::int32_t block_tokens) {
  RandomStream random(7, "rows");
  std::vector<Row> rows;
  std::int64_t now = 0;
  for (std::size_t i = 0; i < count; ++i) {
    Row row{now,
            static_cast<std::int32_t>(1 + random.below(5000)),
            static_cast<std::int32_t>(1 + random.below(900)),
            static_cast<std::int32_t>(random.below(2)),
            {}};
    if (block_tokens > 0 && i % 3 != 1)
      for (std::int32_t left = row.prompt; left > 0; left -= block_tokens) row.blocks.push_back(random.next());
    rows.push_back(std::move(row));
    now += static_cast<std::int64_t>(random.below(3)) * 123'456'789;
  }
  return rows;
}

class StoreFixture : public TraceFixture {
 public:
  StoreFixture() { context.class_names = {"chat", "batch"}; }

  std::string path(const std::string& name) const { return folder.path() + "/" + name; }

  // Returns the mapping that reads it.
  std::string write(const std::string& format, const std::string& name, const std::vector<Row>& rows,
                    const TraceShape& shape) const {
    const auto writer = trace_writers().find(format)->make(path(name), shape);
    for (const Row& row : rows) {
      RequestSpec request;
      request.arrival.ns = row.arrival_ns;
      request.prompt_tokens = row.prompt;
      request.output_tokens = row.output;
      request.request_class = ClassId{row.request_class};
      writer->add(request, row.blocks);
    }
    writer->finish();
    return "trace: " + writer->mapping();
  }

  void check_equal(const Played& trace, const std::vector<Row>& rows, bool classes, bool blocks) const {
    REQUIRE(trace.requests.size() == rows.size());
    for (std::size_t i = 0; i < rows.size(); ++i) {
      const RequestSpec& request = trace.requests[i];
      if (request.arrival.ns != rows[i].arrival_ns || request.prompt_tokens != rows[i].prompt ||
          request.output_tokens != rows[i].output || (classes && request.request_class.value != rows[i].request_class))
        FAIL("request " << i);
      if (blocks && trace.blocks[i] != rows[i].blocks) FAIL("blocks of request " << i);
    }
  }

  std::string error_of_store(const std::string& name) const {
    return message_of([&] { played("trace: {format: hdf5, file: " + name + "}", context); }, folder.path());
  }

  std::string bytes(const std::string& name) const {
    std::ifstream file(path(name), std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }
};

TEST_CASE_METHOD(StoreFixture, "each format that is written reads back as it was, to the nanosecond") {
  const std::vector<Row> all = rows(500, 64);
  for (const std::string format : {"csv", "hdf5", "jsonl"}) {
    INFO(format);
    const Played trace = played(write(format, "t." + format, all, {64, {"chat", "batch"}}), context);
    check_equal(trace, all, true, true);
    CHECK(trace.block_tokens == 64);
    const Played bare = played(write(format, "b." + format, all, {0, {}}), context);
    check_equal(bare, all, false, false);
    CHECK(bare.block_tokens == 0);
    CHECK(bare.requests[5].request_class == ClassId{0});
  }
}

TEST_CASE_METHOD(StoreFixture, "a mooncake file names every block, with ids of their own for those without") {
  const std::vector<Row> all = rows(500, 64);
  const Played trace = played(write("mooncake", "m.jsonl", all, {64, {"chat", "batch"}}), context);
  check_equal(trace, all, false, false);
  CHECK(trace.block_tokens == 64);
  std::map<std::uint64_t, int> seen;
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (!all[i].blocks.empty() && trace.blocks[i] != all[i].blocks) FAIL("request " << i);
    for (const std::uint64_t id : trace.blocks[i])
      if (++seen[id] > 1) FAIL("an id twice in request " << i);
  }
  CHECK(played(write("mooncake", "n.jsonl", rows(50, 0), {0, {}}), context).block_tokens == 512);
}

TEST_CASE_METHOD(StoreFixture, "a store of many chunks is read chunk by chunk") {
  const std::vector<Row> all = rows(140'000, 4096);
  context.scan_traces = false;
  check_equal(played(write("hdf5", "t.h5", all, {4096, {"chat", "batch"}}), context), all, true, true);
}

TEST_CASE_METHOD(StoreFixture, "equal requests give equal bytes") {
  const std::vector<Row> all = rows(2000, 64);
  write("hdf5", "a.h5", all, {64, {"chat", "batch"}});
  write("hdf5", "b.h5", all, {64, {"chat", "batch"}});
  CHECK(bytes("a.h5") == bytes("b.h5"));
  CHECK(bytes("a.h5").size() > 1000);
}

TEST_CASE_METHOD(StoreFixture, "classes are matched by their names, and not looked at where a scenario has none") {
  write("hdf5", "t.h5", rows(20, 0), {0, {"batch", "chat"}});
  CHECK(trace_store_classes(path("t.h5")) == std::vector<std::string>{"batch", "chat"});
  const auto turned = played("trace: {format: hdf5, file: t.h5}", context).requests;
  context.class_names = {};
  const auto none = played("trace: {format: hdf5, file: t.h5}", context).requests;
  for (std::size_t i = 0; i < turned.size(); ++i) {
    CHECK(turned[i].request_class.value == 1 - rows(20, 0)[i].request_class);
    CHECK(none[i].request_class.value == 0);
  }
  context.class_names = {"chat", "bulk"};
  CHECK(error_of_store("t.h5") == "DIR/t.h5: /trace/class: unknown class 'batch' (known: chat, bulk)");
}

TEST_CASE_METHOD(StoreFixture, "every column says its unit and what it is") {
  write("hdf5", "t.h5", rows(20, 64), {64, {"chat", "batch"}});
  const Hdf5Reader file(path("t.h5"));
  for (const char* column : {"/trace/arrival", "/trace/prompt_tokens", "/trace/output_tokens", "/trace/class",
                             "/blocks/offset", "/blocks/id"}) {
    CHECK(file.text(column, "unit").has_value());
    CHECK(file.text(column, "description")->size() > 4);
  }
  CHECK(file.text("/trace/arrival", "unit") == "ns");
  CHECK(file.number("/trace", "requests") == 20);
  CHECK(file.type("/blocks/id") == ColumnType::kUint64);
}

// A store by hand, so that it can be wrong.
struct Wrong {
  std::vector<std::int64_t> arrival = {0, 5}, prompt = {9, 9}, output = {1, 1}, request_class = {0, 0};
  std::vector<std::int64_t> offset = {0, 1, 3}, id = {1, 2, 3};
  std::string format = "silicast-trace";
  double version = 1, block_tokens = 5;

  void write(const std::string& path) const {
    Hdf5Writer file(path);
    file.set_text("/trace", "format", format);
    file.set_number("/trace", "version", version);
    file.set_number("/trace", "block_tokens", block_tokens);
    file.add_array("/trace/arrival", arrival, "ns", "x");
    file.add_array("/trace/prompt_tokens", prompt, "token", "x");
    file.add_array("/trace/output_tokens", output, "token", "x");
    file.add_array("/trace/class", request_class, "", "x");
    file.add_array("/blocks/offset", offset, "row", "x");
    file.add_array("/blocks/id", id, "", "x");
    file.finish();
  }
};

TEST_CASE_METHOD(StoreFixture, "every broken store is told by its column and row") {
  const auto error = [&](const std::function<void(Wrong&)>& spoil) {
    Wrong wrong;
    spoil(wrong);
    wrong.write(path("w.h5"));
    return error_of_store("w.h5");
  };
  CHECK(error([](Wrong&) {}) == "no error");
  CHECK(error([](Wrong& w) { w.format = "else"; }) == "DIR/w.h5: is no trace: 'silicast trace' did not write it");
  CHECK(error([](Wrong& w) { w.version = 2; }) == "DIR/w.h5: is a trace of version 2; this silicast reads version 1");
  CHECK(error([](Wrong& w) { w.prompt.pop_back(); }) ==
        "DIR/w.h5: /trace/prompt_tokens: 1 rows where /trace/arrival has 2");
  CHECK(error([](Wrong& w) { w.prompt[1] = 0; }) ==
        "DIR/w.h5: /trace/prompt_tokens: row 1: 0 must be from 1 to 100000000 tokens");
  CHECK(error([](Wrong& w) { w.output[0] = -3; }) ==
        "DIR/w.h5: /trace/output_tokens: row 0: -3 must be from 1 to 100000000 tokens");
  CHECK(error([](Wrong& w) { w.arrival[0] = -1; }) == "DIR/w.h5: /trace/arrival: row 0: -1 is negative");
  CHECK(error([](Wrong& w) { w.arrival[0] = 9; }) ==
        "DIR/w.h5: /trace/arrival: out of order: '5' comes behind '9'; sort the trace by time");
  CHECK(error([](Wrong& w) { w.request_class[1] = 1; }) ==
        "DIR/w.h5: /trace/class: row 1: 1 is the position of no class");
  CHECK(error([](Wrong& w) { w.block_tokens = 2.5; }) ==
        "DIR/w.h5: /trace: block_tokens 2.5 is not a whole number from 0");
  CHECK(error([](Wrong& w) { w.offset.pop_back(); }) == "DIR/w.h5: /blocks/offset: 2 rows where 2 requests have 3");
  CHECK(error([](Wrong& w) { w.offset[0] = 1; }) == "DIR/w.h5: /blocks/offset: row 0: 0 is due");
  CHECK(error([](Wrong& w) { w.offset[1] = 4; }) ==
        "DIR/w.h5: /blocks/offset: row 1: 4 behind 0 are no blocks of 5 tokens of a prompt of 9");
  CHECK(error([](Wrong& w) { w.offset[2] = 0; }) ==
        "DIR/w.h5: /blocks/offset: row 2: 0 behind 1 are no blocks of 5 tokens of a prompt of 9");
  CHECK(error([](Wrong& w) { w = Wrong{{}, {}, {}, {}, {0}, {}}; }) == "DIR/w.h5: holds no request");
  folder.write("text.h5", "hello");
  CHECK(error_of_store("text.h5") == "DIR/text.h5: is not an HDF5 file");
}

TEST_CASE_METHOD(StoreFixture, "a trace that is not finished leaves no file") {
  for (const std::string format : {"csv", "hdf5", "jsonl", "mooncake"}) {
    {
      const auto writer = trace_writers().find(format)->make(path("half"), {0, {}});
      RequestSpec request;
      request.prompt_tokens = request.output_tokens = 1;
      writer->add(request, {});
    }
    CHECK(std::filesystem::is_empty(folder.path()));
  }
}

TEST_CASE_METHOD(StoreFixture, "a file that is there is not written over by text") {
  folder.write("t.csv", "mine");
  CHECK(message_of(
            [&] {
              write("csv", "t.csv", {}, {0, {}});
            },
            folder.path()) == "DIR/t.csv: exists already; give another name");
  CHECK(bytes("t.csv") == "mine");
  CHECK(message_of(
            [&] {
              write("csv", "none/t.csv", {}, {0, {}});
            },
            folder.path()) == "DIR/none/t.csv: cannot create: No such file or directory");
}

TEST_CASE_METHOD(StoreFixture, "names with blanks, commas and quotes survive in csv and jsonl") {
  context.class_names = {"a, \"b\"", "c d"};
  const std::vector<Row> all = rows(50, 0);
  check_equal(played(write("csv", "t.csv", all, {0, context.class_names}), context), all, true, true);
  check_equal(played(write("jsonl", "t.jsonl", all, {0, context.class_names}), context), all, true, true);
}

}  // namespace
}  // namespace silicast
