#include "runtime/plan/builder.h"

#include <algorithm>

namespace capsule::plan {
namespace {

constexpr std::size_t kInternLimit = 64;  // longer texts hardly repeat

// FNV-1a: of a hundred short texts hardly two have the same.
std::uint32_t hash_of(std::string_view bytes) {
  std::uint32_t hash = 2166136261U;
  for (const char byte : bytes)
    hash = (hash ^ static_cast<unsigned char>(byte)) * 16777619U;
  return hash;
}

std::size_t round_up(std::size_t size, std::size_t alignment) {
  return (size + alignment - 1) / alignment * alignment;
}

void pad(std::string& bytes, std::size_t alignment) {
  bytes.resize(round_up(bytes.size(), alignment), '\0');
}

}  // namespace

Builder::Builder(std::size_t usual) {
  steps_.reserve(usual);
  data_.reserve(usual);
  interned_.reserve(usual / sizeof(Interned));
  newest_.fill(kNone);
  data_.push_back('\0');  // offset 0 is the empty text
  donations_.push_back({.kind = Donation::Kind::sync_socket});
  donations_.push_back({.kind = Donation::Kind::gate_socket});
}

Text Builder::text(std::string_view bytes) {
  if (bytes.empty()) return {};
  if (bytes.size() > kInternLimit) return store(bytes);
  const std::uint32_t hash = hash_of(bytes);
  std::uint16_t& newest = newest_.at(hash % kChains);
  for (std::uint16_t at = newest; at != kNone; at = interned_[at].next) {
    const Interned& known = interned_[at];
    if (known.hash == hash && std::string_view(data_).substr(known.text.offset, known.text.size) == bytes)
      return known.text;
  }
  const Text stored = store(bytes);
  if (interned_.size() < kNone) {
    interned_.push_back({hash, stored, newest});
    newest = static_cast<std::uint16_t>(interned_.size() - 1);
  }
  return stored;
}

Text Builder::store(std::string_view bytes) {
  const Text stored{static_cast<std::uint32_t>(data_.size()), static_cast<std::uint32_t>(bytes.size())};
  data_.append(bytes).push_back('\0');
  return stored;
}

TextList Builder::list(const std::vector<std::string>& texts) {
  std::vector<Text> stored;
  stored.reserve(texts.size());
  for (const std::string& entry : texts)
    stored.push_back(text(entry));
  pad(data_, 8);
  const TextList list{static_cast<std::uint32_t>(data_.size()), static_cast<std::uint32_t>(stored.size())};
  data_.append(reinterpret_cast<const char*>(stored.data()), stored.size() * sizeof(Text));
  return list;
}

Blob Builder::blob(const void* bytes, std::size_t size) {
  pad(data_, 8);
  const Blob blob{static_cast<std::uint32_t>(data_.size()), static_cast<std::uint32_t>(size)};
  data_.append(static_cast<const char*>(bytes), size);
  return blob;
}

std::uint16_t Builder::donate(Donation donation) {
  donations_.push_back(std::move(donation));
  return static_cast<std::uint16_t>(donations_.size() - 1);
}

void Builder::append(const void* step, std::size_t size) {
  steps_.append(static_cast<const char*>(step), size);
  ++step_count_;
}

std::string Builder::finish() const {
  const std::size_t table_size = donations_.size() * sizeof(std::int32_t);
  const std::size_t steps_offset = round_up(sizeof(PlanHeader) + table_size, 8);
  const std::size_t data_offset = round_up(steps_offset + steps_.size(), 8);

  PlanHeader header{};
  header.magic = kMagic;
  header.version = kVersion;
  header.total_size = static_cast<std::uint32_t>(data_offset + data_.size());
  header.descriptor_count = static_cast<std::uint32_t>(donations_.size());
  header.steps_offset = static_cast<std::uint32_t>(steps_offset);
  header.steps_size = static_cast<std::uint32_t>(steps_.size());
  header.data_offset = static_cast<std::uint32_t>(data_offset);
  header.data_size = static_cast<std::uint32_t>(data_.size());
  header.step_count = step_count_;
  header.preserved_fds = preserved_fds_;

  std::string image(data_offset, '\0');
  std::memcpy(image.data(), &header, sizeof(header));
  std::memset(image.data() + sizeof(header), 0xff, table_size);  // -1 in every entry
  std::memcpy(image.data() + steps_offset, steps_.data(), steps_.size());
  image.append(data_);
  return image;
}

}  // namespace capsule::plan
