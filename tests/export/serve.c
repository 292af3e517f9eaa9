/* Loads a SavedModel with the C++ loader that TF Serving uses, feeds scalars, a matrix of zeros, or one of a token with
   scalars, prints the numbers.
   serve MODEL OUTPUT n_INPUT N seed_INPUT SEED   or   serve MODEL OUTPUT z_INPUT ROWS COLUMNS   or
   serve MODEL OUTPUT prompt_INPUT ROWS COLUMNS TOKEN seed_INPUT SEED temperature_INPUT T */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "tensorflow/c/c_api.h"

static TF_Status* status;

static void check(const char* what) {
  if (TF_GetCode(status) != TF_OK) {
    fprintf(stderr, "%s: %s\n", what, TF_Message(status));
    exit(1);
  }
}

static TF_Output port(TF_Graph* graph, const char* name) {
  char operation[256];
  snprintf(operation, sizeof operation, "%s", name);
  char* colon = strchr(operation, ':');
  int index = 0;
  if (colon) { index = atoi(colon + 1); *colon = 0; }
  TF_Output found = {TF_GraphOperationByName(graph, operation), index};
  if (!found.oper) { fprintf(stderr, "no operation %s\n", operation); exit(1); }
  return found;
}

int main(int count, char** given) {
  status = TF_NewStatus();
  TF_Graph* graph = TF_NewGraph();
  TF_SessionOptions* options = TF_NewSessionOptions();
  const char* tags[] = {"serve"};
  TF_Session* session = TF_LoadSessionFromSavedModel(options, NULL, given[1], tags, 1, graph, NULL, status);
  check("load");
  TF_Output inputs[3], output = port(graph, given[2]);
  TF_Tensor* values[3];
  int number;
  if (count == 7) {
    number = 2;
    inputs[0] = port(graph, given[3]);
    values[0] = TF_AllocateTensor(TF_INT32, NULL, 0, 4);
    *(int32_t*)TF_TensorData(values[0]) = atoi(given[4]);
    inputs[1] = port(graph, given[5]);
    values[1] = TF_AllocateTensor(TF_INT64, NULL, 0, 8);
    *(int64_t*)TF_TensorData(values[1]) = atoll(given[6]);
  } else if (count == 11) {
    number = 3;
    int64_t shape[2] = {atoll(given[4]), atoll(given[5])};
    size_t size = (size_t)(shape[0] * shape[1]);
    inputs[0] = port(graph, given[3]);
    values[0] = TF_AllocateTensor(TF_INT32, shape, 2, size * 4);
    for (size_t i = 0; i < size; ++i) ((int32_t*)TF_TensorData(values[0]))[i] = atoi(given[6]);
    inputs[1] = port(graph, given[7]);
    values[1] = TF_AllocateTensor(TF_INT64, NULL, 0, 8);
    *(int64_t*)TF_TensorData(values[1]) = atoll(given[8]);
    inputs[2] = port(graph, given[9]);
    values[2] = TF_AllocateTensor(TF_FLOAT, NULL, 0, 4);
    *(float*)TF_TensorData(values[2]) = (float)atof(given[10]);
  } else {
    number = 1;
    int64_t shape[2] = {atoll(given[4]), atoll(given[5])};
    size_t bytes = (size_t)(shape[0] * shape[1]) * 4;
    inputs[0] = port(graph, given[3]);
    values[0] = TF_AllocateTensor(TF_FLOAT, shape, 2, bytes);
    memset(TF_TensorData(values[0]), 0, bytes);
  }
  TF_Tensor* answer;
  TF_SessionRun(session, NULL, inputs, values, number, &output, &answer, 1, NULL, 0, NULL, status);
  check("run");
  const float* numbers = TF_TensorData(answer);
  const int32_t* whole = TF_TensorData(answer);
  for (size_t i = 0; i < TF_TensorByteSize(answer) / 4; ++i) {
    if (TF_TensorType(answer) == TF_INT32) printf("%d\n", whole[i]);
    else printf("%.9g\n", numbers[i]);
  }
  return 0;
}
