// SPDX-License-Identifier: Apache-2.0
// The one main of all test programs: doctest, and a listing of the cases as ctest entries.
#define DOCTEST_CONFIG_IMPLEMENT
#include <doctest/doctest.h>

#include <blendr/crypto/cpu.hpp>
#include <support/support.hpp>

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <set>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

namespace blendr::test {
namespace {

namespace fs = std::filesystem;

constexpr int exit_skipped = 77;
constexpr std::array<std::string_view, 7> labels = {"unit", "property", "example", "package",
                                                    "e2e",  "browser",  "slow"};

std::string skipped_because;
unsigned cases_run = 0;
std::string module_name;
std::string ctest_file;

/// Writes one `add_test` per case. A test suite is a list of labels, separated by spaces.
class ctest_writer : public doctest::IReporter {
public:
    explicit ctest_writer(doctest::ContextOptions const&) {}

    void report_query(doctest::QueryData const& found) override
    {
        std::ofstream out{ctest_file};
        std::set<std::string> names;
        for (unsigned i = 0; i < found.num_data; ++i) {
            auto const& test = *found.data[i];
            std::string const name = test.m_name;
            if (!names.insert(name).second) fail(name, "is the name of two test cases");
            if (name.find_first_of("*?\\;") != std::string::npos) {
                fail(name, "holds one of * ? \\ ; which test filters give a meaning");
            }
            std::string const entry = "[==[" + module_name + "/" + name + "]==]";
            auto const of_case = labels_of(name, test.m_test_suite);
            bool const slow = of_case.find("slow") != std::string::npos;
            out << "add_test(" << entry << " [==[" << executable()
                << "]==] [==[--test-case=" << escaped(name) << "]==])\n"
                << "set_tests_properties(" << entry << " PROPERTIES LABELS [==[" << of_case
                << "]==] SKIP_RETURN_CODE " << exit_skipped << " TIMEOUT " << (slow ? 900 : 600)
                << ")\n";
        }
        if (names.empty()) fail(module_name, "has no test case");
        if (!out.flush()) fail(ctest_file, "cannot be written");
    }
    void test_run_start() override {}
    void test_run_end(doctest::TestRunStats const&) override {}
    void test_case_start(doctest::TestCaseData const&) override {}
    void test_case_reenter(doctest::TestCaseData const&) override {}
    void test_case_end(doctest::CurrentTestCaseStats const&) override {}
    void test_case_exception(doctest::TestCaseException const&) override {}
    void subcase_start(doctest::SubcaseSignature const&) override {}
    void subcase_end() override {}
    void log_assert(doctest::AssertData const&) override {}
    void log_message(doctest::MessageData const&) override {}
    void test_case_skipped(doctest::TestCaseData const&) override {}

private:
    [[noreturn]] static void fail(std::string_view what, std::string_view why)
    {
        std::cerr << "test_" << module_name << ": \"" << what << "\" " << why << "\n";
        std::exit(EXIT_FAILURE);
    }

    static std::string executable() { return fs::read_symlink("/proc/self/exe").string(); }

    static std::string escaped(std::string_view name)
    {
        std::string out;
        for (char const c : name) {
            if (c == ',') out += '\\';
            out += c;
        }
        return out;
    }

    static std::string labels_of(std::string const& name, char const* suite)
    {
        std::istringstream words{suite == nullptr ? "" : suite};
        std::string joined;
        for (std::string word; words >> word;) {
            if (std::find(labels.begin(), labels.end(), word) == labels.end()) {
                fail(name,
                     "is in the suite \"" + word +
                         "\", which is no label: unit property example package e2e browser slow");
            }
            joined += (joined.empty() ? "" : ";") + word;
        }
        return joined.empty() ? "unit" : joined;
    }
};

/// Counts, so that a filter that matches nothing is a failure and not a silent pass.
class counter : public ctest_writer {
public:
    using ctest_writer::ctest_writer;
    void report_query(doctest::QueryData const&) override {}
    void test_case_start(doctest::TestCaseData const&) override { ++cases_run; }
};

REGISTER_REPORTER("ctest", 1, ctest_writer);
REGISTER_LISTENER("counter", 1, counter);

struct scratch_root {
    fs::path path;

    ~scratch_root()
    {
        std::error_code ignored;
        if (!path.empty()) fs::remove_all(path, ignored);
    }
};

int run(int argc, char** argv)
{
    std::vector<std::string_view> const arguments{argv + 1, argv + argc};
    if (arguments.size() == 3 && arguments[0] == "--write-ctest") {
        module_name = arguments[1];
        ctest_file = arguments[2];
        std::array<char const*, 3> const listing = {argv[0], "--list-test-cases",
                                                    "--reporters=ctest"};
        return doctest::Context{static_cast<int>(listing.size()), listing.data()}.run();
    }
    doctest::Context context{argc, argv};
    if (std::getenv("BLENDR_CPU") != nullptr)
        std::cout << "lanes: " << blendr::crypto::name(blendr::crypto::default_cpu()) << "\n";
    int const failed = context.run();
    if (context.shouldExit() || failed != 0) return failed;
    if (cases_run == 0) {
        std::cerr << "no test case matches\n";
        return EXIT_FAILURE;
    }
    if (!skipped_because.empty()) {
        std::cout << "skipped: " << skipped_because << "\n";
        return cases_run == 1 ? exit_skipped : EXIT_SUCCESS;
    }
    return EXIT_SUCCESS;
}

}  // namespace

void skip(std::string_view why) { skipped_because = why; }

std::uint64_t seed()
{
    static std::uint64_t const chosen = [] {
        char const* set = std::getenv("BLENDR_TEST_SEED");
        return set == nullptr ? std::uint64_t{1} : std::strtoull(set, nullptr, 0);
    }();
    return chosen;
}

fs::path data(std::string_view below_tests) { return fs::path{BLENDR_TESTS_DIR} / below_tests; }

fs::path scratch(std::string_view name)
{
    static scratch_root root;
    if (root.path.empty()) {
        auto pattern = (fs::temp_directory_path() / "blendr-test-XXXXXX").string();
        if (::mkdtemp(pattern.data()) == nullptr) {
            throw std::runtime_error{"no temporary directory can be made: " + pattern};
        }
        root.path = pattern;
    }
    auto const made = root.path / name;
    fs::remove_all(made);
    fs::create_directories(made);
    return made;
}

}  // namespace blendr::test

int main(int argc, char** argv) { return blendr::test::run(argc, argv); }
