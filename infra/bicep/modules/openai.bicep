metadata description = 'Azure OpenAI: the account and the deployments that hear, think and speak.'

@description('Name of the account; also its subdomain, which sign-in with Entra needs.')
param name string
param location string
param tags object
param workspaceId string
param appPrincipalId string

@description('Deployments by name, each with model, version and capacity.')
param deployments object

@description('Where requests are computed; the Global ones have the most capacity, the DataZone ones stay in the EU or the US.')
@allowed(['GlobalStandard', 'DataZoneStandard', 'Standard'])
param skuName string

var openAiUser = subscriptionResourceId('Microsoft.Authorization/roleDefinitions', '5e0bd9bd-7b93-4f28-af87-19fc36ad61bd')

resource account 'Microsoft.CognitiveServices/accounts@2026-03-01' = {
  name: name
  location: location
  tags: tags
  kind: 'OpenAI'
  sku: { name: 'S0' }
  properties: {
    customSubDomainName: name
    disableLocalAuth: true
    publicNetworkAccess: 'Enabled'
    networkAcls: { defaultAction: 'Allow' }
  }
}

// The account takes one deployment at a time.
@batchSize(1)
resource deployment 'Microsoft.CognitiveServices/accounts/deployments@2026-03-01' = [for item in items(deployments): {
  parent: account
  name: item.key
  sku: { name: skuName, capacity: item.value.capacity }
  properties: {
    model: { format: 'OpenAI', name: item.value.model, version: item.value.version }
    versionUpgradeOption: 'OnceCurrentVersionExpired'
  }
}]

resource user 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(account.id, appPrincipalId, openAiUser)
  scope: account
  properties: { roleDefinitionId: openAiUser, principalId: appPrincipalId, principalType: 'ServicePrincipal' }
}

resource diagnostics 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  name: 'to-workspace'
  scope: account
  properties: {
    workspaceId: workspaceId
    logs: [{ category: 'Audit', enabled: true }, { category: 'RequestResponse', enabled: true }]
    metrics: [{ category: 'AllMetrics', enabled: true }]
  }
}

output endpoint string = account.properties.endpoint
