#include "spec/validate.h"
#include "spec/write.h"
#include "tests/spec/documents.h"

using namespace capsule::spec;

namespace {

// Written, read and written again: the second text equals the first, or names how it was refused.
std::string again(const std::string& text) {
  const auto spec = read(text);
  return spec.has_value() ? write(spec.value()) : spec.error().message();
}

std::size_t count(const std::string& text, const std::string& what) {
  std::size_t found = 0;
  for (std::size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + 1))
    ++found;
  return found;
}

}  // namespace

TEST_CASE("a document that fills every field is valid", "[spec][round-trip]") {
  const auto spec = read(full_document());

  REQUIRE(spec.has_value());
  CHECK(message_of(validate(spec.value())).empty());
}

TEST_CASE("a document that fills every field loses none by being written", "[spec][round-trip]") {
  const std::string document = full_document();
  const auto spec = read(document);
  REQUIRE(spec.has_value());

  const std::string written = write(spec.value());

  CHECK(again(written) == written);
  // Every member of the document is there again; only `"nanosecs": 0` is added, to the one offset that left
  // it out.
  CHECK(count(written, "\":") == count(document, "\":") + 1);
}

TEST_CASE("what is absent stays absent, what is empty stays empty", "[spec][round-trip]") {
  CHECK(write(read(R"({"ociVersion": "1.0.0"})").value()) == "{\n\t\"ociVersion\": \"1.0.0\"\n}\n");

  const std::string sparse =
      R"({"ociVersion":"1.0.0","process":{"user":{"uid":0,"gid":0},"cwd":"/","capabilities":{}},)"
      R"("linux":{"resources":{"memory":{},"pids":{}},"intelRdt":{"schemata":[]}}})";
  std::string written = write(read(sparse).value());
  std::erase_if(written, [](char c) { return c == '\t' || c == '\n' || c == ' '; });
  CHECK(written == sparse);
}

TEST_CASE("members come in the order in which runc writes them, indented with tabs", "[spec][round-trip]") {
  const std::string written = write(default_spec());

  CHECK(written.find("{\n\t\"ociVersion\": \"1.3.0\",\n\t\"process\": {\n\t\t\"terminal\": "
                     "true,\n\t\t\"user\": {\n\t\t\t\"uid\": 0,") == 0);
  CHECK(written.find("\"type\": \"RLIMIT_NOFILE\",\n\t\t\t\t\"hard\": 1024,\n\t\t\t\t\"soft\": 1024\n") !=
        std::string::npos);
  CHECK(written.back() == '\n');
}

TEST_CASE("the default configuration is valid and survives being written", "[spec][round-trip]") {
  const Spec spec = default_spec();

  CHECK(message_of(validate(spec)).empty());
  CHECK(again(write(spec)) == write(spec));
}

TEST_CASE("the rootless default configuration is valid and survives being written", "[spec][round-trip]") {
  const Spec spec = default_rootless_spec(1000, 1001);

  CHECK(message_of(validate(spec)).empty());
  CHECK(again(write(spec)) == write(spec));
}
