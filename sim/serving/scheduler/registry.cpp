#include "sim/serving/scheduler/scheduler.hpp"

namespace silicast {

SchedulerFactory make_chunked, make_prefill_first, make_static_batch;

namespace {
constexpr RegistryEntry<SchedulerFactory> kSchedulers[] = {
    {"chunked", "mixed batches of decodes and prompt chunks within a token budget (vLLM v1)", make_chunked},
    {"prefill_first", "prompts in iterations of their own, before any decode (SGLang, vLLM v0)", make_prefill_first},
    {"static", "a batch runs to its end before the next one starts", make_static_batch},
};
}  // namespace

constexpr Registry<SchedulerFactory> schedulers{"scheduler", kSchedulers};

}  // namespace silicast
