// A drawing of a fabric for graphviz.
#pragma once

#include <string>

#include "topology/fabric.hpp"

namespace silicast {

// An undirected graph in DOT: whole where it has at most `most_vertices`, else as little collapsed as brings it under
// that: chips to their nodes; nodes to cabinets (the first level of their pod beyond the node) or leaves, and spines to
// their block; all that is alike to one. Links between the same two vertices are one, with their number and joint
// capacity.
std::string dot_of(const Fabric& fabric, const std::string& name, std::size_t most_vertices = 300);

}  // namespace silicast
