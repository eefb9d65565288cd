// Scores float images through TensorFlow's C++ loader of SavedModels, the one that TF Serving calls.
//
// Arguments: the SavedModel, height, width, channels, a file of raw float32 images and the file of raw
// float32 scores to write.

#include <cstdlib>
#include <fstream>
#include <iostream>
#include <iterator>
#include <string>
#include <vector>

#include "tensorflow/cc/saved_model/loader.h"
#include "tensorflow/core/framework/tensor.h"
#include "tensorflow/core/public/session.h"

namespace {

void Check(const absl::Status& status) {
  if (status.ok()) return;
  std::cerr << status.ToString() << std::endl;
  std::exit(1);
}

std::vector<char> Read(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return std::vector<char>(std::istreambuf_iterator<char>(file), {});
}

}  // namespace

int main(int, char** arguments) {
  tensorflow::SavedModelBundle bundle;
  Check(tensorflow::LoadSavedModel({}, {}, arguments[1], {"serve"}, &bundle));
  const auto& signature = bundle.GetSignatures().at("predict_images");

  const int64_t height = std::atoi(arguments[2]), width = std::atoi(arguments[3]);
  const int64_t channels = std::atoi(arguments[4]);
  const std::vector<char> bytes = Read(arguments[5]);
  const int64_t count = bytes.size() / (sizeof(float) * height * width * channels);
  tensorflow::Tensor images(tensorflow::DT_FLOAT, {count, height, width, channels});
  std::copy(bytes.begin(), bytes.end(), reinterpret_cast<char*>(images.flat<float>().data()));

  std::vector<tensorflow::Tensor> outputs;
  Check(bundle.GetSession()->Run({{signature.inputs().at("images").name(), images}},
                                 {signature.outputs().at("p_fake").name()}, {}, &outputs));
  std::ofstream(arguments[6], std::ios::binary)
      .write(static_cast<const char*>(outputs[0].data()), count * sizeof(float));
}
