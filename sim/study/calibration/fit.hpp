// Fits positive parameters to measured values, and says which of them the values tell at all.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace silicast {

struct FitParameter {
  std::string name;
  double start = 0;          // where it is now
  double low = 0, high = 0;  // where it is looked for; positive
};

struct FittedParameter {
  double value = 0;
  double low = 0, high = 0;  // over fits that leave out a fifth of the shapes each
  std::string undetermined;  // why it stays where it was; empty where it is fitted
};

struct FitData {
  std::vector<std::int32_t> shape;  // of each case, from 0 on: cases of one shape are one independent case
  std::vector<double> weight;       // of each case
  // Logarithms of predicted over measured, of every case, for these values of the parameters.
  std::function<void(const std::vector<double>& values, std::vector<double>& errors)> errors;
  std::int32_t cases_per_parameter = 3;  // independent ones, at the least
  std::int32_t evaluations = 1000;       // of `errors`, of one fit
  std::int32_t grid = 0;  // values of each parameter that are tried first, all with all; for costly errors
};

// By the mean of a loss that is quadratic for small errors and linear for large ones, in the logarithms of the
// parameters, without derivatives (NLopt's Sbplx; COBYLA after a grid). A parameter stays where it is if no case
// depends on it, if there are too few independent cases for all (those that matter least give way), if the loss is
// alike over a wide range of it, if the best value is at the end of its range, or if leaving out a fifth of the shapes
// moves it by more than a factor of three, which is the range of what rests on one independent case.
std::vector<FittedParameter> fit_parameters(const std::vector<FitParameter>& parameters, const FitData& data);

}  // namespace silicast
