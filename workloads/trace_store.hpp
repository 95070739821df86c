// The trace store: requests in an HDF5 file, column by column. Chunks of 65,536 rows, shuffle + deflate 1, no times of
// objects, so that equal requests give equal bytes.
//
//   /trace                  attributes: format "silicast-trace", version 1, requests, block_tokens
//   /trace/arrival          ns from the start of the stream that was written, int64, never falling; whoever reads the
//                           trace counts from its first request, as with every trace
//   /trace/prompt_tokens    tokens, int32
//   /trace/output_tokens    tokens, int32
//   /trace/class            position in the attribute `names` ("chat,batch"), int32; without names all are 0
//   /clients/...            where they were kept: max_output_tokens (0: none declared) int32, patience (ns, -1: for
//                           ever) int64, leaves (1: the client goes of its own accord) int32, after_ends (requests that
//                           had ended when it was asked, where one did at that instant; else 0) int64
//   /sessions/...           where they are known: session int64, parent (row of the request whose answer it waits for,
//                           -1: none) int64, think (ns from that answer) int64
//   /blocks/offset          with ids: of request i, rows offset[i] to offset[i + 1] of id; one row more than requests
//   /blocks/id              ids of KV blocks as RequestSource::blocks() gives them, uint64, one request after another
#pragma once

#include <string>
#include <vector>

namespace silicast {

// The names of a store's classes; empty where it has none. Error (InputError): not to be read, not a trace store.
std::vector<std::string> trace_store_classes(const std::string& path);

}  // namespace silicast
