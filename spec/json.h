// The JSON library, with its checks as one instruction each: a mistake of ours stops the program, as an
// assert would, without a text and a file name for each of the places.
#pragma once

#define JSON_ASSERT(condition) ((condition) ? static_cast<void>(0) : __builtin_trap())
#include <nlohmann/json.hpp>
