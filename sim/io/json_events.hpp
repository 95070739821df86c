// JSON text as the events that yaml-cpp would send for it. JSON is nearly YAML: yaml-cpp knows no surrogate
// pairs
// ("\ud83d\ude00").
#pragma once

#include <yaml-cpp/eventhandler.h>

#include <string>

namespace silicast {

// Every event stands at the first byte of what it tells of. Error (InputError): not valid JSON.
void send_json_events(const std::string& text, const std::string& name, YAML::EventHandler& to);

}  // namespace silicast
