// Tables of kernel times: how they are known, and what is said of bad ones.
#include "sim/perf/kernel_tables.hpp"

#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>

#include "sim/base/errors.hpp"
#include "tests/support/temp_folder.hpp"

namespace silicast {
namespace {

using testing::TempFolder;

double none(const MeasuredGrid::Point&) {
  return 1;
}

std::string write_to(const TempFolder& folder, const std::string& name, const std::string& text) {
  const std::string path = folder / name;
  std::ofstream(path) << text;
  return path;
}

std::string path_of(const TempFolder& folder) {
  return std::filesystem::path(folder / "x").parent_path().string();
}

constexpr const char* kDense = "layer,tokens,time_us\nqkv_proj,1,10\nqkv_proj,3,14\nlayernorm,1,2\n";
constexpr const char* kSequences = "layer,sequences,time_us\nlm_head,1,100\n";
constexpr const char* kExperts = "tokens,activated_experts,time_us\n1,8,50\n2,16,60\n4,16,80\n";
constexpr const char* kAttention =
    "prefill_chunk,kv_prefill,n_decode,kv_decode,time_us\n16,0,0,0,8\n0,0,1,16,7\n16,0,1,16,12\n";

// What is wrong with one file, without its folder.
std::string message(const std::string& text) {
  const TempFolder folder;
  const std::string path = write_to(folder, "t.csv", text);
  try {
    read_kernel_tables({path}, 1);
  } catch (const InputError& error) {
    return std::string(error.what()).substr(path.size());
  }
  return "no error";
}

TEST_CASE("files are known by their columns, kernels by what profilers call them") {
  const TempFolder folder;
  const KernelTables tables =
      read_kernel_tables({write_to(folder, "a.csv", kDense), write_to(folder, "b.csv", kSequences),
                          write_to(folder, "c.csv", kExperts), write_to(folder, "d.csv", kAttention)},
                         1);
  REQUIRE(tables.of("qkv_proj") != nullptr);
  CHECK(tables.of("qkv_proj")->at({2}, none) == Approx(12e-6));
  CHECK(tables.of("norm")->at({1}, none) == Approx(2e-6));
  CHECK(tables.of("lm_head")->at({1}, none) == Approx(100e-6));
  CHECK(tables.of("o_proj") == nullptr);
  CHECK(tables.experts.at({16, 3}, none) == Approx(70e-6));
  CHECK(tables.attention.prefill.at({16, 0}, none) == Approx(8e-6));
  CHECK(tables.attention.decode.at({1, 16}, none) == Approx(7e-6));
  CHECK(tables.attention.mixed.at({16, 1, 16, 0}, none) == Approx(12e-6));
}

TEST_CASE("of a folder the files of the tensor degree, where any are called so, and tables alone") {
  const TempFolder folder;
  const std::string path = path_of(folder);
  write_to(folder, "tp1_dense.csv", kDense);
  write_to(folder, "tp2_dense.csv", "layer,tokens,time_us\nqkv_proj,1,5\n");
  write_to(folder, "tp1_skew.csv", "regime,n\nx,1\n");
  write_to(folder, "meta.yaml", "x: 1\n");
  CHECK(read_kernel_tables({path}, 1).of("qkv_proj")->at({1}, none) == Approx(10e-6));
  CHECK(read_kernel_tables({path}, 2).of("qkv_proj")->at({1}, none) == Approx(5e-6));
  CHECK_THROWS_WITH(read_kernel_tables({path}, 4), path + ": has no tables of tensor: 4 (tp4_*.csv)");
  const TempFolder empty;
  CHECK_THROWS_WITH(read_kernel_tables({path_of(empty)}, 1), path_of(empty) + ": has no table of kernel times");
  CHECK_THROWS_WITH(read_kernel_tables({path + "/none"}, 1),
                    path + "/none: does not exist; perf.measured takes a folder or files");
  const std::string other = write_to(folder, "other.csv", kDense);
  CHECK_THROWS_WITH(read_kernel_tables({other, other}, 1), other + ":2:1: layer: 'qkv_proj' is in another file too");
}

TEST_CASE("bad tables are named by line, column and what is wrong") {
  CHECK(message("a,b\n1,2\n") ==
        ": is no table of kernel times: its columns are none of (layer, tokens), (layer, sequences), (tokens, "
        "activated_experts), (prefill_chunk, kv_prefill, n_decode, kv_decode), with time_us");
  CHECK(message("layer,tokens,time\nqkv_proj,1,1\n") ==
        ":1: no column 'time_us' in the header (known: layer, tokens, time)");
  CHECK(message("layer,tokens,time_us\n") == ": has no rows");
  CHECK(message("layer,tokens,time_us\nqkv_proj,1,-1\n") == ":2:12: time_us: -1 must be over 0");
  CHECK(message("layer,tokens,time_us\nqkv_proj,1,0\n") == ":2:12: time_us: 0 must be over 0");
  CHECK(message("layer,tokens,time_us\nqkv_proj,1.5,1\n") ==
        ":2:10: tokens: '1.5' is not a whole number from 1 to 1073741824");
  CHECK(message("layer,tokens,time_us\nqkv_proj,1,1\nqkv_proj,2,2\nqkv_proj,1,3\n") ==
        ":4: time_us: line 2 has this point too");
  CHECK(message("layer,tokens,time_us\nqkv_proj,4,3\nqkv_proj,1,13\n") ==
        ":2: time_us: 3 is under a quarter of the 13 that less work took; is a unit wrong?");
  CHECK(message("layer,tokens,time_us\nqkv_prj,1,1\n")
            .starts_with(":2:1: layer: 'qkv_prj' is no layer that silicast knows; did you mean 'qkv_proj'?"));
  CHECK(message("tokens,activated_experts,time_us\n1,8,5\n1,8,6\n") == ":3: time_us: line 2 has this point too");
  const std::string head = "prefill_chunk,kv_prefill,n_decode,kv_decode,time_us\n";
  CHECK(message(head + "0,0,0,0,1\n") == ":2:1: prefill_chunk: is 0, and so is n_decode");
  CHECK(message(head + "0,8,1,8,1\n") == ":2:3: kv_prefill: must be 0 without a prompt chunk");
  CHECK(message(head + "8,0,0,8,1\n") == ":2:7: kv_decode: must be 0 where nothing decodes");
  CHECK(message(head + "8,0,1,0,1\n") == ":2:7: kv_decode: must be over 0 where sequences decode");
  CHECK(message(head + "8,0,0,0,1\n") == ": has no row of decodes alone (prefill_chunk 0)");
}

}  // namespace
}  // namespace silicast
