// What a chip reaches, fitted to tables of its kernels: `silicast calibrate kernels` in one call.
#pragma once

#include <string>
#include <vector>

#include "sim/io/quantity_text.hpp"
#include "topology/calibration.hpp"

namespace silicast {

struct KernelTablesOptions {
  std::string configs_dir;
  std::string chip;  // of the catalogue
  std::string node;  // whose links collectives go over; empty: the catalogue's first with the chip
  std::vector<std::string> gemm, attention, moe, collectives;  // "FILE" or "FILE@KERNEL"
  std::string source;                                          // of the tables, for the evidence
};

struct FittedField {
  std::string group, key;
  Dimension dimension = Dimension::kNumber;
  double present = 0, value = 0, low = 0, high = 0;
  std::string undetermined;  // why it stays at the present value; empty where it was fitted
};

struct ResidualRow {
  std::string kernel_class, band;  // band empty: all of the class
  std::size_t rows = 0;
  double bias = 0, median = 0, p90 = 0;  // of predicted / measured - 1; the last two of its absolute value
};

struct KernelCalibration {
  Calibration calibration;  // fitted fields with what they rest on, the others as they are
  std::vector<FittedField> fields;
  std::vector<ResidualRow> residuals, present;  // after the fit, and with the chip's present file
  std::vector<std::string> left_out;            // rows that count for nothing, and why
};

// Errors: InputError for unknown chips and nodes, tables of no known format, bad cells, no table at all.
KernelCalibration calibrate_kernels(const KernelTablesOptions& options);

// As a file of configs/calibration.
std::string calibration_yaml(const KernelCalibration& fitted);

}  // namespace silicast
